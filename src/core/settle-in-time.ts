const MAX_SECONDS = 10;

/** Thrown if a promise does not settle in time. */
export class SettleTimeout extends Error {}

/** True for promises of every library. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

/**
 * Waits for a promise of an application's function, for at most 10 seconds. Any other value is returned at once.
 *
 * @param who The function, for the message: `headers()`.
 * @throws {SettleTimeout} If it does not settle in time. A rejection goes through.
 */
export async function settleInTime<T>(who: string, value: T | PromiseLike<T>): Promise<T> {
  if (!isPromiseLike(value)) return value;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    const fail = () => reject(new SettleTimeout(`${who} did not settle within ${MAX_SECONDS} seconds`));
    timer = setTimeout(fail, MAX_SECONDS * 1_000).unref();
  });
  try {
    return await Promise.race([value, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
