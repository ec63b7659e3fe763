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

/**
 * Writes one line a minute for each kind, which says how many more there were since the last one. There must be few kinds: each is kept.
 *
 * @returns A function that calls `write` with the end of the line, if the line is due.
 */
export function createCountedLines<Kind>(): (kind: Kind, write: (more: string) => void) => void {
  const byKind = new Map<Kind, { quietUntil: number; more: number }>();
  return (kind, write) => {
    const now = performance.now();
    const known = byKind.get(kind);
    if (known !== undefined && now < known.quietUntil) {
      known.more++;
      return;
    }
    byKind.set(kind, { quietUntil: now + PAUSE_MS, more: 0 });
    write(known === undefined || known.more === 0 ? '' : ` (${known.more} more since the last such line)`);
  };
}
