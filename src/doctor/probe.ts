import { parseJsonObject } from '../http/json-object.js';
import { isLoopbackHost } from '../http/loopback.js';
import { boundedFetch, type FetchBounds, FetchError } from '../upstream/bounded-fetch.js';

const BOUNDS: FetchBounds = { timeoutMs: 10_000, maxBytes: 256 * 1024 };

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined where the body is not one JSON object. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
}

/** One request as a client would send it, but bounded, and without following redirects. */
export type Probe = (url: string, init?: RequestInit) => Promise<Answer>;

/** For `catch()`, where an answer that did not come is a finding; whatever else went wrong is a fault of ours. */
export function fetchErrorOf(error: unknown): FetchError {
  if (error instanceof FetchError) return error;
  throw error;
}

/** @throws {FetchError} */
export const probe: Probe = async (url, init = {}) => {
  const { status, headers, bytes } = await boundedFetch(url, init, BOUNDS, endsByItself);
  return { status, headers, json: parseJsonObject(new TextDecoder().decode(bytes)) };
};

/** A stream that never ends must not hold up the walk. */
function endsByItself({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') !== true;
}

/** The first request of every MCP client. */
export const INITIALIZE: RequestInit = {
  method: 'POST',
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'express-mcp-auth doctor', version: '1' },
    },
  }),
};

/** Whether nobody on the way can read what is sent there: https, or this machine. */
export function isPrivate(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname));
}

export function isHttpUrl(text: string | undefined): text is string {
  return text !== undefined && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

export function withHeaders(init: RequestInit, headers: Readonly<Record<string, string>>): RequestInit {
  return { ...init, headers: { ...(init.headers as Record<string, string>), ...headers } };
}
