import { lookup } from 'node:dns/promises';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { type BoundedAnswer, type FetchBounds, FetchError, readWithin, UNREAD } from './bounded-fetch.js';
import { decodeBody, UNREADABLE_ENCODING } from './content-encoding.js';

export interface GuardedInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

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

/** Returns the addresses of a name. */
export type Resolve = (name: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

/** The ways to find servers, and to recognise them. */
export interface Network {
  readonly resolve: Resolve;
  /** PEM. The accepted authorities, in place of those that Node trusts. */
  readonly ca?: string | undefined;
}

/** The names that this machine knows, in its own files too. */
export const MACHINE: Network = Object.freeze({ resolve: (name: string) => lookup(name, { all: true }) });

export interface GuardedAnswer extends BoundedAnswer {
  /** The address that the answer came from. */
  readonly remoteAddress: string;
}

/** The `code` of the {@link FetchError} for an address that the guard refuses. */
export const ADDRESS_REFUSED = 'ADDRESS_REFUSED';

/** The `code` of the {@link FetchError} for a port that the guard refuses. */
export const PORT_REFUSED = 'PORT_REFUSED';

/** Errors with these codes have a message that says more than the code. */
const EXPLAINED = new Set<string | undefined>([undefined, ADDRESS_REFUSED, UNREADABLE_ENCODING, 'UND_ERR_ABORTED']);

/**
 * Calls a URL that another server chose, with the limits of `boundedFetch()`. It connects to no address that the guard refuses. It
 * resolves the name once and connects to a checked address, so that the name cannot resolve to another address after the check (DNS
 * rebinding). It follows no redirects. It asks for no compression, and decompresses within the same limits.
 *
 * @throws {FetchError}
 */
export async function guardedFetch(
  url: URL,
  { method = 'GET', headers = {}, body }: GuardedInit,
  { timeoutMs, maxBytes }: FetchBounds,
  guard: Guard,
  network: Network = MACHINE,
): Promise<GuardedAnswer> {
  requireAllowed(url, guard);
  const signal = AbortSignal.timeout(timeoutMs);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  let response: IncomingMessage | undefined;
  try {
    const lookup = lookupChecked(guard.mayConnect, network.resolve);
    const sent = { 'accept-encoding': 'identity', ...headers };
    const connection = { lookup, ca: network.ca, ...(guard.isDirect === true ? { agent: false } : {}) } as const;
    response = await responseTo(send(url, { method, headers: sent, auth: null, signal, ...connection }), body);
    const { statusCode: status = 0, socket } = response;
    const remoteAddress = socket.remoteAddress ?? '';
    const received = { status, headers: headersOf(response), body: response };
    return { ...(await readAnswer(received, guard.reads, maxBytes)), remoteAddress };
  } catch (error) {
    throw fetchError(error, { signal, timeoutMs, hasAnswered: response !== undefined });
  } finally {
    response?.destroy();
  }
}

/** An answer whose body has not been read. */
interface UnreadAnswer extends Pick<BoundedAnswer, 'status' | 'headers'> {
  readonly body: AsyncIterable<Uint8Array>;
}

/** Reads a body, if it is needed, within the limits. */
export async function readAnswer(
  { status, headers, body }: UnreadAnswer,
  reads: Guard['reads'],
  maxBytes: number,
): Promise<BoundedAnswer> {
  const read = reads(headers, status) ? await readWithin(maxBytes, body) : UNREAD;
  return { status, headers, ...(await decodeBody(read, headers.get('content-encoding'), maxBytes)) };
}

/** Returns the error for a call that failed. */
export function fetchError(
  error: unknown,
  { signal, timeoutMs, hasAnswered }: { signal: AbortSignal; timeoutMs: number; hasAnswered: boolean },
): FetchError {
  if (signal.aborted) return new FetchError(`no answer within ${timeoutMs / 1_000} seconds`, false, signal.reason);
  const { code, message } = error as NodeJS.ErrnoException;
  return new FetchError(EXPLAINED.has(code) ? message : String(code), hasAnswered, error);
}

/** @throws {FetchError} */
function requireAllowed(url: URL, { mayConnect, mayUsePort }: Guard): void {
  if (!/^https?:$/.test(url.protocol)) {
    throw refusal(`${url.protocol} is neither http nor https`, 'ERR_INVALID_PROTOCOL');
  }
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  if (mayUsePort?.(port) === false) throw refusal(`not called, since port ${port} is not allowed`, PORT_REFUSED);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  // Node calls lookup() only for names, so an IP address is checked here.
  if (isIP(host) !== 0 && !mayConnect(host)) throw refusal(...refusedAddress(host, host));
}

function responseTo(request: ClientRequest, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // After a 101 that it did not ask for, Node closes the connection and emits neither of the others.
    const close = () => reject(errorWith('the connection was closed without an answer', 'ECONNRESET'));
    request.on('response', resolve).on('error', reject).on('close', close).end(body);
  });
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '');
  return headers;
}

/** Returns a lookup function for `node:net` that refuses a name if the guard refuses one of its addresses. */
function lookupChecked(mayConnect: Guard['mayConnect'], resolve: Resolve): LookupFunction {
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

function errorWith(message: string, code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}

function refusal(message: string, code: string): FetchError {
  return new FetchError(message, false, errorWith(message, code));
}
