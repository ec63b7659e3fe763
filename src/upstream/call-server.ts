import type { OutageCode } from '../core/errors.js';
import { parseJsonObject } from '../http/json-object.js';
import { boundedFetch, type FetchBounds, FetchError } from './bounded-fetch.js';
import { cacheLifetimeSeconds } from './cache-lifetime.js';

/** The bounds of every call to a key server or an authorization server. */
export const CALL_LIMITS: FetchBounds = Object.freeze({
  timeoutMs: 5_000,
  maxBytes: 256 * 1024,
});

/** A JSON object that a server publishes, and for how long it may be kept. */
export interface PublishedDocument {
  readonly body: Readonly<Record<string, unknown>>;
  readonly lifetimeSeconds: number;
}

/** The answer of a server that we depend on. */
export interface ServerAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined where the body is no JSON object. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

/** A call that brought no answer which could be used. `message` is fit for a log: it never quotes what was answered. */
export class CallError extends Error {
  override readonly name = 'CallError';
  /** True if the server was there, and answered what no server should: a redirect, too much, no JSON. */
  readonly answered: boolean;

  constructor(method: string, url: URL, reason: string, answered: boolean, options?: ErrorOptions) {
    // Without the query, which may contain secrets.
    super(`${method} ${url.origin}${url.pathname} failed: ${reason}`, options);
    this.answered = answered;
  }
}

/** The name of the outage that a call met with. */
export function outageOf(error: unknown): OutageCode {
  const answered = error instanceof CallError && error.answered;
  return answered ? 'authorization_server_malformed' : 'authorization_server_unavailable';
}

export interface ServerCall {
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * Calls a server. A status of 500 or more is an outage, and no redirect is followed; any other status is the caller's to judge.
 *
 * @throws {CallError}
 */
export async function callServer(url: URL, call: ServerCall, limits: FetchBounds = CALL_LIMITS): Promise<ServerAnswer> {
  const failed = (reason: string, answered: boolean, cause?: unknown) =>
    new CallError(call.method, url, reason, answered, { cause });
  const headers = { accept: 'application/json', ...call.headers };
  const answer = await boundedFetch(url, { ...call, headers }, limits, isUsable).catch((error: unknown) => {
    throw error instanceof FetchError ? failed(error.message, error.answered, error) : error;
  });
  const { status } = answer;
  if (!isUsable(answer)) throw failed(`it answered with status ${status}`, status < 500);
  if (!answer.isWhole) throw failed(`it is larger than ${limits.maxBytes} bytes`, true);
  const text = decode(answer.bytes);
  if (text === undefined) throw failed('it is not UTF-8', true);
  return { status, headers: answer.headers, body: parseJsonObject(text) };
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // There is nothing more to say of bytes that are no text.
    return undefined;
  }
}

function isUsable({ status }: { readonly status: number }): boolean {
  return status < 300 || (status >= 400 && status < 500);
}

/**
 * GETs a JSON object.
 *
 * @throws {CallError} Also where the status is another than 200, or the body no JSON object.
 */
export async function fetchDocument(url: URL): Promise<PublishedDocument> {
  const { status, body, headers } = await callServer(url, { method: 'GET' });
  if (status !== 200) throw new CallError('GET', url, `it answered with status ${status}`, true);
  if (body === undefined) throw new CallError('GET', url, 'it is not a JSON object', true);
  return { body, lifetimeSeconds: cacheLifetimeSeconds(headers) };
}
