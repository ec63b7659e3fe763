import { lookup } from 'node:dns/promises';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type BoundedAnswer, errorWith, type FetchBounds, FetchError, readWithin, UNREAD } from './bounded-fetch.js';
import { decodeBody, UNREADABLE_ENCODING } from './content-encoding.js';
import { ADDRESS_REFUSED, type Guard, lookupChecked, requireAllowed, requireAllowedName } from './guard.js';
import { type Resolve, rememberNames, type TimeLimit } from './name-lookup.js';

export interface GuardedInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The ways to find servers, and to recognise them. */
export interface Network {
  readonly resolve: Resolve;
  /** PEM. The accepted authorities, in place of those that Node trusts. */
  readonly ca?: string | undefined;
}

/** The names that this machine knows, in its own files too. */
export const MACHINE: Network = Object.freeze({ resolve: (name: string) => lookup(name, { all: true }) });

/** The limits of one call. Its time includes the look-up of the name. */
export interface GuardedBounds extends FetchBounds {
  /** The signal of a time limit that has begun before. @default one that begins with the call */
  readonly signal?: AbortSignal;
}

export interface GuardedAnswer extends BoundedAnswer {
  /** The address that the answer came from, which may be that of a forward proxy. */
  readonly remoteAddress: string;
}

/** Errors with these codes have a message that says more than the code. */
const EXPLAINED = new Set<string | undefined>([undefined, ADDRESS_REFUSED, UNREADABLE_ENCODING, 'UND_ERR_ABORTED']);

/**
 * Calls a URL that another server chose, with the limits of `boundedFetch()`. It connects to no address that the guard refuses, and to one
 * that it has checked, so that the name cannot resolve to another one after the check (DNS rebinding); only a forward proxy of the
 * environment resolves the name itself, unless the guard says `isDirect`. It follows no redirects. It asks for no compression, and
 * decompresses within the same limits.
 *
 * @throws {FetchError}
 */
export async function guardedFetch(
  url: URL,
  { method = 'GET', headers = {}, body }: GuardedInit,
  { timeoutMs, maxBytes, signal = AbortSignal.timeout(timeoutMs) }: GuardedBounds,
  guard: Guard,
  network: Network = MACHINE,
): Promise<GuardedAnswer> {
  requireAllowed(url, guard);
  const resolve = rememberNames(network.resolve);
  const limit: TimeLimit = { signal, timeoutMs };
  if (guard.isDirect !== true) await requireAllowedName(url, guard, { resolve, limit });
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  let response: IncomingMessage | undefined;
  try {
    const lookup = lookupChecked(guard.mayConnect, resolve);
    const sent = { 'accept-encoding': 'identity', ...headers };
    const connection = { lookup, ca: network.ca, ...(guard.isDirect === true ? { agent: false } : {}) } as const;
    response = await responseTo(send(url, { method, headers: sent, auth: null, signal, ...connection }), body);
    const { statusCode: status = 0, socket } = response;
    const remoteAddress = socket.remoteAddress ?? '';
    const received = { status, headers: headersOf(response), body: response };
    return { ...(await readAnswer(received, guard.reads, maxBytes)), remoteAddress };
  } catch (error) {
    throw fetchError(error, { ...limit, hasAnswered: response !== undefined });
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
  { signal, timeoutMs, hasAnswered }: TimeLimit & { readonly hasAnswered: boolean },
): FetchError {
  if (signal.aborted) return new FetchError(`no answer within ${timeoutMs / 1_000} seconds`, false, signal.reason);
  const { code, message } = error as NodeJS.ErrnoException;
  return new FetchError(EXPLAINED.has(code) ? message : String(code), hasAnswered, error);
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
