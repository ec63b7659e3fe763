import { errorWith, FetchError } from './bounded-fetch.js';

/** Returns the addresses of a name. */
export type Resolve = (name: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

/** The time for one call, from the look-up of its name to the end of its answer. */
export interface TimeLimit {
  readonly timeoutMs: number;
  /** Aborted when the time is over. */
  readonly signal: AbortSignal;
}

/** The `code` of the {@link FetchError} for a name whose addresses did not come in time. */
export const LOOKUP_TIMEOUT = 'LOOKUP_TIMEOUT';

/**
 * Returns the addresses of a name. Waits no longer than the call may take: a look-up of Node cannot be aborted, but the wait for it can.
 *
 * @throws {FetchError} With the code {@link LOOKUP_TIMEOUT}. A rejection of `resolve` goes through.
 */
async function resolveInTime(name: string, resolve: Resolve, { signal, timeoutMs }: TimeLimit): ReturnType<Resolve> {
  let fail: () => void = () => undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    fail = () => reject(lookupTimeout(name, timeoutMs));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
  try {
    return await Promise.race([resolve(name), tooLate]);
  } finally {
    signal.removeEventListener('abort', fail);
  }
}

/**
 * Returns the addresses of a name, none if it is not known here: a forward proxy may know it.
 *
 * @throws {FetchError} With the code {@link LOOKUP_TIMEOUT}.
 */
export async function knownAddresses(name: string, resolve: Resolve, limit: TimeLimit): ReturnType<Resolve> {
  return resolveInTime(name, resolve, limit).catch((error: unknown) => {
    if (error instanceof FetchError) throw error;
    return [];
  });
}

function lookupTimeout(name: string, timeoutMs: number): FetchError {
  const message = `the name ${name} was not resolved within ${timeoutMs / 1_000} seconds`;
  return new FetchError(message, false, errorWith(message, LOOKUP_TIMEOUT));
}

/**
 * Returns a function that looks up each name once, for the checks and the connection of one call: a slow look-up counts once, and the
 * connection goes to an address that was checked. A look-up that fails is not made again.
 */
export function rememberNames(resolve: Resolve): Resolve {
  const known = new Map<string, ReturnType<Resolve>>();
  return (name) => {
    const found = known.get(name) ?? resolve(name);
    known.set(name, found);
    return found;
  };
}
