/**
 * Creates a limit on work that anyone can cause: a number that grows by `perSecond` each second up to `max`, and from which each piece of work
 * takes one.
 */
export function createAllowance(perSecond: number, max: number) {
  let left = max;
  let countedAt = performance.now();

  function count(): void {
    const now = performance.now();
    left = Math.min(max, left + ((now - countedAt) * perSecond) / 1_000);
    countedAt = now;
  }

  return {
    /** Takes one, and returns true if there was one. */
    take(): boolean {
      count();
      if (left < 1) return false;
      left -= 1;
      return true;
    },
    giveBack(): void {
      left = Math.min(max, left + 1);
    },
    /** Milliseconds until one can be taken. */
    msToNext: (): number => Math.max(1, Math.ceil(((1 - left) * 1_000) / perSecond)),
  };
}
