/**
 * Repeats a run whose result depends on time until one takes at most `maxMs`: the machine did not stall during that one, so its result counts.
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
