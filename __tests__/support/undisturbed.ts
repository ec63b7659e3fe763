/**
 * Repeats what depends on the time until it took at most `maxMs`: then the machine did not stall in it, and its result counts.
 *
 * @param run Is given the number of attempts before.
 */
export async function undisturbed<T>(maxMs: number, run: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    const began = performance.now();
    const result = await run(attempt);
    if (performance.now() - began <= maxMs) return result;
  }
}
