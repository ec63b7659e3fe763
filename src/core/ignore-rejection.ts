import { types } from 'node:util';

/**
 * For what a function of the application's returned that was to answer at once: nobody waits for a promise there, and one that is
 * rejected would end the process.
 */
export function ignoreRejection(value: unknown): void {
  // Of whatever realm; but what merely has a `then` may be a query that has not begun, and is left alone.
  if (!types.isPromise(value)) return;
  new Promise((resolve) => resolve(value)).catch(() => undefined);
}
