const PAUSE_MS = 60_000;

/** Passes on one line a minute: what others cause as often as they like must not fill the log. */
export function createRareLine(log: (line: string) => void): (line: string) => void {
  let quietUntil = Number.NEGATIVE_INFINITY;
  return (line) => {
    const now = performance.now();
    if (now < quietUntil) return;
    quietUntil = now + PAUSE_MS;
    log(line);
  };
}
