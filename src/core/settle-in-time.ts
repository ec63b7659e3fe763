const MAX_SECONDS = 10;

/**
 * Waits for a promise of an application's function, for at most 10 seconds. Any other value is returned at once.
 *
 * @param who The function, for the message: `headers()`.
 * @throws {Error} If it does not settle in time. A rejection goes through.
 */
export async function settleInTime<T>(who: string, value: T | PromiseLike<T>): Promise<T> {
  // `await` accepts promises of every library.
  if (typeof (value as PromiseLike<T> | null | undefined)?.then !== 'function') return value;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    const fail = () => reject(new Error(`${who} did not settle within ${MAX_SECONDS} seconds`));
    timer = setTimeout(fail, MAX_SECONDS * 1_000).unref();
  });
  try {
    return await Promise.race([value, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
