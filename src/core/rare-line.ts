const PAUSE_MS = 60_000;

/** Passes on one line a minute and drops the others: callers that cause a line with each request must not fill the log. */
export function createRareLine(log: (line: string) => void): (line: string) => void {
  let quietUntil = Number.NEGATIVE_INFINITY;
  return (line) => {
    const now = performance.now();
    if (now < quietUntil) return;
    quietUntil = now + PAUSE_MS;
    log(line);
  };
}

/** Passes on one line a minute for each kind. There must be few kinds: each is kept. */
export function createRareLines<Kind>(log: (line: string) => void): (kind: Kind, line: string) => void {
  const byKind = new Map<Kind, (line: string) => void>();
  return (kind, line) => {
    const rare = byKind.get(kind) ?? createRareLine(log);
    byKind.set(kind, rare);
    rare(line);
  };
}
