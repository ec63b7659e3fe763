import { isIP } from 'node:net';
import { canParseUrl } from '../http/can-parse-url.js';
import { isRecord, parseJsonObject } from '../http/json-object.js';
import { isLoopbackHost } from '../http/loopback.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { type FetchBounds, FetchError } from '../upstream/bounded-fetch.js';
import { usesForwardProxy } from '../upstream/forward-proxy.js';
import { type GuardedInit, guardedFetch, MACHINE } from '../upstream/guarded-fetch.js';
import { knownAddresses, type Resolve, rememberNames, type TimeLimit } from '../upstream/name-lookup.js';
import { proxyAdvice } from '../upstream/proxy-advice.js';
import { isPublicAddress } from '../upstream/public-address.js';
import { createSharedLookups } from './shared-lookups.js';
import { shown } from './shown.js';

const BOUNDS: FetchBounds = { timeoutMs: 10_000, maxBytes: 256 * 1024 };

/** Requests for one target. Its documents decide which URLs are fetched, and must not cause a flood. */
const MAX_REQUESTS = 60;

/** The `code` of the {@link FetchError} beyond {@link MAX_REQUESTS}. */
export const TOO_MANY_REQUESTS = 'TOO_MANY_REQUESTS';

const lookUpHere = createSharedLookups(MACHINE.resolve);

/** The answer to one request. */
export interface ProbeResponse {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined if the body is not one JSON object. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
  /** False if the body is longer than the doctor reads. */
  readonly isWhole: boolean;
}

export type ProbeInit = GuardedInit;

/** Sends one request as a client would, with a timeout and a size limit, and follows no redirects. */
export type Probe = (url: string, init?: ProbeInit) => Promise<ProbeResponse>;

/** For `catch()`: returns a FetchError, which becomes a finding, and throws any other error, which is a bug. */
export function fetchErrorOf(error: unknown): FetchError {
  if (error instanceof FetchError) return error;
  throw error;
}

export interface ProbeOptions {
  /** More URLs that the user has named. They may be on any network. */
  readonly named?: readonly string[];
  readonly isPublic?: typeof isPublicAddress;
  readonly bounds?: FetchBounds;
  readonly resolve?: Resolve;
}

/**
 * Creates the probe for one target. If the target has a public address, URLs that it names are fetched from public addresses
 * only: it must not send the doctor into the user's own network (SSRF).
 */
export function createProbe(
  url: string,
  { named = [], isPublic = isPublicAddress, bounds = BOUNDS, resolve }: ProbeOptions = {},
): Probe {
  const { origin, hostname } = new URL(url);
  const trusted = new Set([origin, ...named.map((address) => new URL(address).origin)]);
  const lookUp = resolve === undefined ? lookUpHere : createSharedLookups(resolve);
  let isTargetPublic: boolean | undefined;
  let count = 0;
  return async (address, init) => {
    count += 1;
    if (count > MAX_REQUESTS) throw tooManyRequests();
    const limit = { ...bounds, signal: AbortSignal.timeout(bounds.timeoutMs) };
    const target = new URL(address);
    const isProxied = (name: string) => usesForwardProxy({ protocol: target.protocol, hostname: name });
    const network = { resolve: rememberNames((name) => lookUp(name, isProxied(name))) };
    isTargetPublic ??= await isPublicHost(hostname, isPublic, { ...network, limit }).catch(adviseFor(target));
    const isTrusted = trusted.has(target.origin);
    // A target that is not known to be private counts as public.
    const mayConnect = (to: string) => isTrusted || isTargetPublic === false || isPublic(to);
    const sent = { accept: '*/*', 'user-agent': 'express-mcp-auth-doctor', ...init?.headers };
    const guard = { mayConnect, reads: endsByItself };
    const answer = await guardedFetch(target, { ...init, headers: sent }, limit, guard, network).catch(
      adviseFor(target),
    );
    // The name may have resolved to another address since.
    if (target.origin === origin && isPublic(answer.remoteAddress)) isTargetPublic = true;
    const { status, headers, bytes, isWhole } = answer;
    // The part that was read may be one whole document, although the answer is longer than the limit.
    return { status, headers, json: isWhole ? parseJsonObject(new TextDecoder().decode(bytes)) : undefined, isWhole };
  };
}

/**
 * True if the host has a public address. Undefined if its name was not resolved: the look-up may succeed the next time, or only a forward
 * proxy knows the name.
 */
async function isPublicHost(
  hostname: string,
  isPublic: typeof isPublicAddress,
  { resolve, limit }: { readonly resolve: Resolve; readonly limit: TimeLimit },
): Promise<boolean | undefined> {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) !== 0) return isPublic(host);
  const addresses = await knownAddresses(host, resolve, limit);
  return addresses.length === 0 ? undefined : addresses.some(({ address }) => isPublic(address));
}

/** For `catch()`: adds that a forward proxy of the environment was not used, to the error of a server that was not reached. */
function adviseFor(target: URL) {
  return (error: unknown): never => {
    const { message, answered, code, cause } = fetchErrorOf(error);
    const advice = proxyAdvice(target, { answered, code });
    throw advice === undefined ? error : new FetchError(message, answered, cause, advice);
  };
}

function tooManyRequests(): FetchError {
  const message = `the doctor stops after ${MAX_REQUESTS} requests`;
  return new FetchError(message, false, { code: TOO_MANY_REQUESTS });
}

/** The doctor must not wait for a stream that never ends. */
function endsByItself(headers: Headers): boolean {
  return !isEventStream(headers);
}

function isEventStream(headers: Headers): boolean {
  return lowerAscii(headers.get('content-type') ?? '').startsWith('text/event-stream');
}

/** True if an MCP server answered, with a JSON-RPC message or an event stream: any web page may come with 200. */
export function isMcpAnswer({ status, headers, json }: ProbeResponse): boolean {
  return status >= 200 && status < 300 && (isEventStream(headers) || json?.jsonrpc === '2.0');
}

/**
 * The error of a JSON-RPC message, as text; undefined if there is none, or a result beside it. Some servers refuse a token with such a
 * message and 200. The doctor does not read event streams, and so no errors in them.
 */
export function rpcErrorIn({ json }: ProbeResponse): string | undefined {
  if (json?.jsonrpc !== '2.0' || json.result !== undefined || !isRecord(json.error)) return undefined;
  const { code, message } = json.error;
  // Not cut: the report would not recognise a part of the token.
  return `${shown(code)} ${shown(message)}`;
}

/** The `data.reason` of a JSON-RPC error, as `mcpStdioBackend()` sends it. */
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

/** Sends `initialize`, the first request of MCP clients, and ends the session that it may have opened. */
export async function initialize(
  probe: Probe,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<ProbeResponse> {
  const answer = await probe(url, { ...INITIALIZE, headers: { ...INITIALIZE.headers, ...headers } });
  const session = answer.headers.get('mcp-session-id');
  if (session !== null && isMcpAnswer(answer)) {
    // Not every server lets clients end a session. The answer is not a finding.
    await probe(url, { method: 'DELETE', headers: { ...headers, 'mcp-session-id': session } }).catch(fetchErrorOf);
  }
  return answer;
}

/** True if others cannot read requests to this URL: it is https, or on this machine. */
export function isPrivate(url: string): boolean {
  if (!canParseUrl(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname));
}

/** True for an absolute URL of http or https. */
export function isHttpUrl(text: string | undefined): text is string {
  return text !== undefined && canParseUrl(text) && /^https?:$/.test(new URL(text).protocol);
}
