import { parseJsonObject } from '../http/json-object.js';
import { fetchFailureReason } from './fetch-failure.js';

/** What every call to a key server or an authorization server is held to. */
export const CALL_LIMITS: Readonly<{ timeoutMs: number; maxBytes: number }> = Object.freeze({
  timeoutMs: 5_000,
  maxBytes: 256 * 1024,
});

/** A JSON object that a server publishes, and the headers it came with. */
export interface PublishedDocument {
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
}

/** What a server answered that we depend on. */
export interface ServerAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined where the body is no JSON object. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

/** A call that brought no answer which could be used. `message` is fit for a log: it never quotes what was answered. */
export class CallError extends Error {
  override readonly name = 'CallError';
  /** Whether the server was there, and answered what no server should: a redirect, too much, no JSON. */
  readonly answered: boolean;

  constructor(message: string, answered: boolean, options?: ErrorOptions) {
    super(message, options);
    this.answered = answered;
  }
}

export interface ServerCall {
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * Calls a server: bounded in time and size, redirects refused, since an address that was configured must not turn into
 * one that was not. A status of 500 or more is an outage; any other status is the caller's to judge.
 *
 * @throws {CallError}
 */
export async function callServer(url: URL, call: ServerCall, limits = CALL_LIMITS): Promise<ServerAnswer> {
  const failed = (reason: string, answered: boolean, cause?: unknown) =>
    callError(call.method, url, reason, answered, { cause });
  const signal = AbortSignal.timeout(limits.timeoutMs);
  try {
    const headers = { accept: 'application/json', ...call.headers };
    const response = await fetch(url, { ...call, headers, redirect: 'manual', signal });
    const { status } = response;
    if (status >= 500 || (status >= 300 && status < 400)) {
      await response.body?.cancel();
      throw failed(`it answered with status ${status}`, status < 500);
    }
    const text = await readBounded(response, limits.maxBytes).catch((error: Error) => {
      throw failed(signal.aborted ? `no answer within ${limits.timeoutMs} ms` : error.message, !signal.aborted, error);
    });
    return { status, headers: response.headers, body: parseJsonObject(text) };
  } catch (error) {
    if (error instanceof CallError) throw error;
    throw failed(signal.aborted ? `no answer within ${limits.timeoutMs} ms` : fetchFailureReason(error), false, error);
  }
}

/**
 * GETs a JSON object.
 *
 * @throws {CallError} Also where the status is another than 200, or the body no JSON object.
 */
export async function fetchDocument(url: URL): Promise<PublishedDocument> {
  const { status, body, headers } = await callServer(url, { method: 'GET' });
  if (status !== 200) throw callError('GET', url, `it answered with status ${status}`, true);
  if (body === undefined) throw callError('GET', url, 'it is not a JSON object', true);
  return { body, headers };
}

/** Without the query, which may hold what no log should. */
export function callError(
  method: string,
  url: URL,
  reason: string,
  answered: boolean,
  options?: ErrorOptions,
): CallError {
  return new CallError(`${method} ${url.origin}${url.pathname} failed: ${reason}`, answered, options);
}

async function readBounded(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}
