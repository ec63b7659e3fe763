import { lookup } from 'node:dns';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { type BoundedAnswer, type FetchBounds, FetchError, readWithin, UNREAD } from './bounded-fetch.js';

export interface GuardedInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Guard {
  /** Called with an IP address before a connection is made. For a name, it is called with each of the name's addresses. */
  readonly mayConnect: (address: string) => boolean;
  /** True if the body of this answer is needed. */
  readonly reads: (headers: Headers) => boolean;
}

export interface GuardedAnswer extends BoundedAnswer {
  /** The address that the answer came from. */
  readonly remoteAddress: string;
}

/** The `code` of the {@link FetchError} for an address that the guard refuses. */
export const ADDRESS_REFUSED = 'ADDRESS_REFUSED';

/**
 * Calls a URL that another server chose, with the limits of `boundedFetch()`. It connects to no address that the guard refuses. It
 * resolves the name once and connects to a checked address, so that the name cannot resolve to another address after the check (DNS
 * rebinding). It follows no redirects and decompresses nothing.
 *
 * @throws {FetchError}
 */
export async function guardedFetch(
  url: URL,
  { method = 'GET', headers = {}, body }: GuardedInit,
  { timeoutMs, maxBytes }: FetchBounds,
  { mayConnect, reads }: Guard,
): Promise<GuardedAnswer> {
  if (!/^https?:$/.test(url.protocol))
    throw refusal(`${url.protocol} is neither http nor https`, 'ERR_INVALID_PROTOCOL');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  // Node calls lookup() only for names, so an IP address is checked here.
  if (isIP(host) !== 0 && !mayConnect(host)) throw refusal(...refusedAddress(host, host));
  const signal = AbortSignal.timeout(timeoutMs);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  let response: IncomingMessage | undefined;
  try {
    const lookup = lookupChecked(mayConnect);
    const sent = { 'accept-encoding': 'identity', ...headers };
    response = await responseTo(send(url, { method, headers: sent, auth: null, signal, lookup }), body);
    const { statusCode: status = 0, socket } = response;
    const received = headersOf(response);
    const remoteAddress = socket.remoteAddress ?? '';
    const read = reads(received) ? await readWithin(maxBytes, response) : UNREAD;
    return { status, headers: received, ...read, remoteAddress };
  } catch (error) {
    if (signal.aborted) throw new FetchError(`no answer within ${timeoutMs / 1_000} seconds`, false, signal.reason);
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === undefined || code === ADDRESS_REFUSED ? message : code;
    throw new FetchError(reason, response !== undefined, error);
  } finally {
    response?.destroy();
  }
}

function responseTo(request: ClientRequest, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve).on('error', reject).end(body);
  });
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '');
  return headers;
}

/** Returns a lookup function for `node:net` that refuses a name if the guard refuses one of its addresses. */
function lookupChecked(mayConnect: Guard['mayConnect']): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses = []) => {
      const refused = addresses.find(({ address }) => !mayConnect(address));
      const [first] = addresses;
      if (error) callback(error, '');
      else if (refused) callback(errorWith(...refusedAddress(hostname, refused.address)), '');
      else if (options.all) callback(null, addresses);
      else callback(null, first?.address ?? '', first?.family);
    });
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
