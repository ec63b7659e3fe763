import { isRecord, parseJsonObject } from '../http/json-object.js';
import { isLoopbackHost } from '../http/loopback.js';
import { type FetchBounds, FetchError } from '../upstream/bounded-fetch.js';
import { type GuardedInit, guardedFetch } from '../upstream/guarded-fetch.js';
import { isPublicAddress } from '../upstream/public-address.js';

const BOUNDS: FetchBounds = { timeoutMs: 10_000, maxBytes: 256 * 1024 };

/** For one walk. A server decides where the walk leads, and must not make it a flood. */
const MAX_REQUESTS = 60;

/** The `code` of the {@link FetchError} after that. */
export const TOO_MANY_REQUESTS = 'TOO_MANY_REQUESTS';

/** What came back. */
export interface ProbeResponse {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined where the body is not one JSON object. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
}

export type ProbeInit = GuardedInit;

/** One request as a client would send it, but bounded, and without following redirects. */
export type Probe = (url: string, init?: ProbeInit) => Promise<ProbeResponse>;

/** For `catch()`, where an answer that did not come is a finding; whatever else went wrong is a fault of ours. */
export function fetchErrorOf(error: unknown): FetchError {
  if (error instanceof FetchError) return error;
  throw error;
}

export interface ProbeOptions {
  /** Further addresses that the user has named; those are asked wherever they are. */
  readonly named?: readonly string[];
  readonly isPublic?: typeof isPublicAddress;
  readonly bounds?: FetchBounds;
}

/**
 * The requests of one walk. Once the server that is looked at has answered from a public address, what it names is asked at
 * public addresses only: that server must not send the doctor into the user's own network.
 */
export function createProbe(
  url: string,
  { named = [], isPublic = isPublicAddress, bounds = BOUNDS }: ProbeOptions = {},
): Probe {
  const { origin } = new URL(url);
  const trusted = new Set([origin, ...named.map((address) => new URL(address).origin)]);
  let isTargetPublic = false;
  let count = 0;
  return async (address, init) => {
    count += 1;
    if (count > MAX_REQUESTS) throw tooManyRequests();
    const target = new URL(address);
    const isTrusted = trusted.has(target.origin);
    const mayConnect = (to: string) => isTrusted || !isTargetPublic || isPublic(to);
    const sent = { accept: '*/*', 'user-agent': 'express-mcp-auth-doctor', ...init?.headers };
    const guard = { mayConnect, reads: endsByItself };
    const answer = await guardedFetch(target, { ...init, headers: sent }, bounds, guard);
    if (target.origin === origin && isPublic(answer.remoteAddress)) isTargetPublic = true;
    const { status, headers, bytes } = answer;
    return { status, headers, json: parseJsonObject(new TextDecoder().decode(bytes)) };
  };
}

function tooManyRequests(): FetchError {
  const message = `${MAX_REQUESTS} requests were made, and the doctor makes no more`;
  return new FetchError(message, false, { code: TOO_MANY_REQUESTS });
}

/** The walk must not wait for a stream that never ends. */
function endsByItself(headers: Headers): boolean {
  return !isEventStream(headers);
}

function isEventStream(headers: Headers): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') === true;
}

/** True if an MCP server answered: a JSON-RPC message, or a stream of them, and not any page that comes with 200. */
export function isMcpAnswer({ status, headers, json }: ProbeResponse): boolean {
  return status >= 200 && status < 300 && (isEventStream(headers) || json?.jsonrpc === '2.0');
}

/** The reason of an error, as our bridge and other JSON-RPC servers give it. */
export function reasonIn({ json }: ProbeResponse): string | undefined {
  const data = isRecord(json?.error) ? json.error.data : undefined;
  const reason = isRecord(data) ? data.reason : undefined;
  return typeof reason === 'string' && /^[a-z_]{1,64}$/.test(reason) ? reason : undefined;
}

const INITIALIZE = {
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

/** Sends the first request of every MCP client, and ends the session that it may have opened: a walk leaves nothing behind. */
export async function initialize(
  probe: Probe,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<ProbeResponse> {
  const answer = await probe(url, { ...INITIALIZE, headers: { ...INITIALIZE.headers, ...headers } });
  const session = answer.headers.get('mcp-session-id');
  if (session !== null && isMcpAnswer(answer)) {
    // Not every server lets clients end a session; its answer changes nothing in what was found.
    await probe(url, { method: 'DELETE', headers: { ...headers, 'mcp-session-id': session } }).catch(fetchErrorOf);
  }
  return answer;
}

/** True if requests to it cannot be read on their way: https, or this machine. */
export function isPrivate(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname));
}

export function isHttpUrl(text: string | undefined): text is string {
  return text !== undefined && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
