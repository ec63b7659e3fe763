import { types } from 'node:util';

/**
 * Ignores the rejection of a promise that the application returned from a callback which must be synchronous. Nothing awaits the
 * promise, so its rejection would end the process.
 */
export function ignoreRejection(value: unknown): void {
  // Promises of any realm. An object that only has a `then` may be a lazy database query, which `then` would start.
  if (!types.isPromise(value)) return;
  new Promise((resolve) => resolve(value)).catch(() => undefined);
}
