import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { AuthError } from '../../core/errors.js';
import { forwardedRequestId, REQUEST_ID_HEADER } from '../../core/request-id.js';
import { lowerAscii } from '../../http/lower-ascii.js';
import { trimOws } from '../../http/ows.js';
import { plainAddress } from '../../http/plain-address.js';
import { PARAMETER_PREFIX } from '../../messages/header-value.js';
import { TRACE_KEYS } from '../../messages/meta-edit.js';
import { requestOrigin } from '../../oauth/request-origin.js';
import type { HeaderRecord } from '../../targets/http/exchange.js';
import type { TraceCarrier } from '../../telemetry/call-tracer.js';
import { foldHeaderName } from './header-rules.js';

/** The request headers that are forwarded. Credentials, cookies and headers about the connection are not among them. */
const FORWARDED = [
  'accept',
  'accept-language',
  'content-type',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'traceparent',
  'tracestate',
  'user-agent',
];

/** The headers of one request to the target that do not come from the client. */
export interface OwnHeaders {
  /** The headers that the application sets. The client's own headers of these names are dropped. */
  readonly caller: HeaderRecord;
  /** The target's own id of the session. */
  readonly sessionId: string | undefined;
  readonly contentLength: number | undefined;
  /** Replaces the trace that the client's headers name. */
  readonly trace?: TraceCarrier | undefined;
}

/**
 * Creates the function that builds the headers of a request to the target.
 *
 * @param further The option `requestHeaders`.
 */
export function createTargetHeaders(further: readonly string[]) {
  const forwarded = new Set([...FORWARDED, ...further]);

  return (req: IncomingMessage, { caller, sessionId, contentLength, trace }: OwnHeaders): string[] => {
    const { headers } = req;
    const hopByHop = namesIn(headers.connection);
    const set = foldedNamesOf(caller);
    const requestId = forwardedRequestId(req);
    const result: string[] = [];
    for (const name of Object.keys(headers)) {
      if (!forwarded.has(name) && !name.startsWith(PARAMETER_PREFIX)) continue;
      if (name === REQUEST_ID_HEADER && requestId !== undefined) continue;
      if (trace !== undefined && isTraceHeader(name)) continue;
      const value = headers[name];
      if (typeof value !== 'string' || hopByHop.has(name)) continue;
      if (set.size === 0 || !set.has(foldHeaderName(name))) result.push(name, value);
    }
    for (const [name, value] of caller) if (value !== undefined) result.push(name, value);
    if (requestId !== undefined && !set.has(REQUEST_ID_HEADER)) result.push(REQUEST_ID_HEADER, requestId);
    addForwarded(result, req, set);
    if (trace !== undefined) addTrace(result, trace, set);
    // mcpScopes() reads answers, so they must not be compressed.
    result.push('accept-encoding', 'identity');
    if (sessionId !== undefined) result.push('mcp-session-id', sessionId);
    if (contentLength !== undefined) result.push('content-length', String(contentLength));
    return result;
  };
}

function isTraceHeader(name: string): boolean {
  return TRACE_KEYS.some((key) => key === name);
}

function addTrace(result: string[], trace: TraceCarrier, set: ReadonlySet<string>): void {
  for (const name of TRACE_KEYS) {
    const value = trace[name];
    if (value !== undefined && !set.has(name)) result.push(name, value);
  }
}

const NONE: ReadonlySet<string> = new Set();

const foldedNames = new WeakMap<HeaderRecord, ReadonlySet<string>>();

/** Returns the names of the application's headers as a target may fold them. Without a function, all requests have the same record. */
function foldedNamesOf(caller: HeaderRecord): ReadonlySet<string> {
  if (caller.size === 0) return NONE;
  let names = foldedNames.get(caller);
  if (names === undefined) {
    names = new Set([...caller.keys()].map(foldHeaderName));
    foldedNames.set(caller, names);
  }
  return names;
}

/** Returns the headers that must not be forwarded according to `Connection` (RFC 9110, section 7.6.1). */
function namesIn(connection: string | undefined): ReadonlySet<string> {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return NONE;
  return new Set(lowerAscii(connection).split(',').map(trimOws));
}

/** Adds the client's address, and the host and scheme that it uses, as the application sees them. The client's own `X-Forwarded-*` are dropped. */
function addForwarded(result: string[], req: IncomingMessage, set: ReadonlySet<string>): void {
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined && !set.has(name)) result.push(name, value);
  };
  add('x-forwarded-for', addressOf(req));
  const origin = originOf(req);
  if (origin === undefined) return;
  const end = origin.indexOf(':');
  add('x-forwarded-host', origin.slice(end + '://'.length));
  add('x-forwarded-proto', origin.slice(0, end));
}

/** Express's `ip` follows the `trust proxy` setting, but may be any string that a trusted proxy sent. */
function addressOf(req: IncomingMessage): string | undefined {
  const { ip } = req as { ip?: string };
  const { remoteAddress } = req.socket;
  const address = ip === undefined || ip === remoteAddress || isIP(ip) === 0 ? remoteAddress : ip;
  return address === undefined ? undefined : plainAddress(address);
}

function originOf(req: IncomingMessage): string | undefined {
  try {
    return requestOrigin(req);
  } catch (error) {
    // HTTP/1.0 allows requests without Host; without mcpAuth(), the header may have any value.
    if (error instanceof AuthError) return undefined;
    throw error;
  }
}
