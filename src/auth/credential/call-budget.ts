/**
 * Limits calls that anyone can cause. Each second allows this many; those of a quiet second may be used in the next one.
 *
 * @returns A function that returns true, and counts a call, if one more may be made now.
 */
export function createCallBudget(callsPerSecond: number): () => boolean {
  let left = callsPerSecond;
  let countedAt = performance.now();
  return () => {
    const now = performance.now();
    left = Math.min(callsPerSecond, left + ((now - countedAt) / 1_000) * callsPerSecond);
    countedAt = now;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}
