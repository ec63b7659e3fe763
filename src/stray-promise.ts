/**
 * For what a function of the application's returned that was to answer at once: nobody waits for a promise there, and one that is
 * rejected would end the process.
 */
export function catchStrayPromise(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  // Not `instanceof Promise`, which those of another realm are not; nor Promise.resolve(), which a hostile one makes throw.
  new Promise((resolve) => resolve(value)).catch(() => undefined);
}
