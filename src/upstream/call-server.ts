import type { OutageCode } from '../core/errors.js';
import { parseJsonObject } from '../http/json-object.js';
import { boundedFetch, type FetchBounds, FetchError } from './bounded-fetch.js';
import { cacheLifetimeSeconds } from './cache-lifetime.js';
import { proxyAdvice } from './proxy-advice.js';

/** The limits of every call to a key server or an authorization server. */
export const CALL_LIMITS: FetchBounds = Object.freeze({
  timeoutMs: 5_000,
  maxBytes: 256 * 1024,
});

/** The `User-Agent` of requests to servers that require one. */
export const USER_AGENT = 'express-mcp-auth';

/** A JSON object that a server publishes, and the seconds for which it may be cached. */
export interface PublishedDocument {
  readonly body: Readonly<Record<string, unknown>>;
  readonly lifetimeSeconds: number;
}

/** The answer of a key server or an authorization server. */
export interface ServerAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined if the body is not a JSON object. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
  /** The body as it came, for a stricter parser. */
  readonly text: string;
}

/** Thrown if a call brings no usable answer. `message` is fit for a log: it never quotes the answer. */
export class CallError extends Error {
  override readonly name = 'CallError';
  /** True if the server answered, but not usably: with a redirect, too many bytes, or no JSON. */
  readonly answered: boolean;
  /** True if the answer shows that there is no such document: 4xx other than 408 and 429, or something that is not a JSON object. */
  readonly isAbsence: boolean;

  constructor(
    method: string,
    url: URL,
    reason: string,
    answered: boolean,
    { isAbsence = false, ...options }: { readonly cause?: unknown; readonly isAbsence?: boolean } = {},
  ) {
    // Without the query, which may contain secrets.
    super(`${method} ${url.origin}${url.pathname} failed: ${reason}`, options);
    this.answered = answered;
    this.isAbsence = isAbsence;
  }
}

/** Returns the outage code for an error of {@link callServer}. */
export function outageOf(error: unknown): OutageCode {
  const answered = error instanceof CallError && error.answered;
  return answered ? 'authorization_server_malformed' : 'authorization_server_unavailable';
}

export interface ServerCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * Calls a server. It follows no redirects. The caller must check the status.
 *
 * @throws {CallError} If the status is a redirect or 500 or more, or the answer is too slow, too large or not UTF-8.
 */
export async function callServer(url: URL, call: ServerCall, limits: FetchBounds = CALL_LIMITS): Promise<ServerAnswer> {
  /** @param isAbsence True for a complete answer that is not JSON. */
  const failed = (reason: string, answered: boolean, isAbsence: boolean, cause?: unknown) =>
    new CallError(call.method, url, reason, answered, { cause, isAbsence });
  const headers = { accept: 'application/json', ...call.headers };
  const answer = await boundedFetch(url, { ...call, headers }, limits, isUsable).catch((error: unknown) => {
    if (!(error instanceof FetchError)) throw error;
    throw failed([error.message, proxyAdvice(url, error) ?? []].flat().join('. '), error.answered, false, error);
  });
  const { status } = answer;
  if (!isUsable(answer)) throw failed(`it answered with status ${status}`, status < 500, status < 500);
  if (!answer.isWhole) throw failed(`it is larger than ${limits.maxBytes} bytes`, true, true);
  const text = decode(answer.bytes);
  if (text === undefined) throw failed('it is not UTF-8', true, true);
  return { status, headers: answer.headers, body: parseJsonObject(text), text };
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // The caller reports it.
    return undefined;
  }
}

function isUsable({ status }: { readonly status: number }): boolean {
  return status < 300 || (status >= 400 && status < 500);
}

/**
 * Fetches a JSON object with GET.
 *
 * @throws {CallError} Also if the status is not 200, or the body is not a JSON object.
 */
export async function fetchDocument(url: URL): Promise<PublishedDocument> {
  const { status, body, headers } = await callServer(url, { method: 'GET' });
  if (status !== 200) {
    const isAbsence = status !== 408 && status !== 429;
    throw new CallError('GET', url, `it answered with status ${status}`, true, { isAbsence });
  }
  if (body === undefined) throw new CallError('GET', url, 'it is not a JSON object', true, { isAbsence: true });
  return { body, lifetimeSeconds: cacheLifetimeSeconds(headers) };
}
