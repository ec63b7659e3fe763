import { isIP, type LookupFunction } from 'node:net';
import { errorWith, FetchError } from './bounded-fetch.js';
import { knownAddresses, type Resolve, type TimeLimit } from './name-lookup.js';

/** Decides which calls `guardedFetch()` may make, and which answers it reads. */
export interface Guard {
  /** Called with an IP address before a connection is made. For a name, it is called with each of the name's addresses. */
  readonly mayConnect: (address: string) => boolean;
  /** True if the body of this answer is needed. */
  readonly reads: (headers: Headers, status: number) => boolean;
  /** True if a port may be called. @default every port */
  readonly mayUsePort?: (port: number) => boolean;
  /**
   * True if the connection must go to the server itself and be a new one. An open one of this process may go to an address that the guard
   * refuses, and with `NODE_USE_ENV_PROXY` Node connects to a proxy, which resolves the name again.
   *
   * @default false
   */
  readonly isDirect?: boolean;
}

/** The `code` of the {@link FetchError} for an address that the guard refuses. */
export const ADDRESS_REFUSED = 'ADDRESS_REFUSED';

/** The `code` of the {@link FetchError} for a port that the guard refuses. */
export const PORT_REFUSED = 'PORT_REFUSED';

/**
 * Checks a URL before anything is sent.
 *
 * @throws {FetchError}
 */
export function requireAllowed(url: URL, { mayConnect, mayUsePort }: Guard): void {
  if (!/^https?:$/.test(url.protocol)) {
    throw refusal(`${url.protocol} is neither http nor https`, 'ERR_INVALID_PROTOCOL');
  }
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  if (mayUsePort?.(port) === false) throw refusal(`not called, since port ${port} is not allowed`, PORT_REFUSED);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  // Node calls lookup() only for names, so an IP address is checked here.
  if (isIP(host) !== 0 && !mayConnect(host)) throw refusal(...refusedAddress(host, host));
}

/**
 * Checks the addresses of a name before anything is sent: if Node connects to a forward proxy, it does not call the lookup function. A
 * name that is not known here may still be known to the proxy, and passes.
 *
 * @throws {FetchError}
 */
export async function requireAllowedName(
  { hostname }: URL,
  { mayConnect }: Guard,
  { resolve, limit }: { readonly resolve: Resolve; readonly limit: TimeLimit },
): Promise<void> {
  const addresses = await knownAddresses(hostname, resolve, limit);
  const refused = addresses.find(({ address }) => !mayConnect(address));
  if (refused) throw refusal(...refusedAddress(hostname, refused.address));
}

/** Returns a lookup function for `node:net` that refuses a name if the guard refuses one of its addresses. */
export function lookupChecked(mayConnect: Guard['mayConnect'], resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const refused = addresses.find(({ address }) => !mayConnect(address));
        const [first] = addresses;
        if (refused) callback(errorWith(...refusedAddress(hostname, refused.address)), '');
        else if (first === undefined) callback(errorWith(`${hostname} has no address`, 'ENOTFOUND'), '');
        else if (options.all) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };
}

function refusedAddress(host: string, address: string): [message: string, code: string] {
  const which = host === address ? address : `${host} (${address})`;
  return [`not called, since ${which} is not a public address`, ADDRESS_REFUSED];
}

function refusal(message: string, code: string): FetchError {
  return new FetchError(message, false, errorWith(message, code));
}
