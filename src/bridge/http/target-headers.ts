import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { AuthError } from '../../core/errors.js';
import { lowerAscii } from '../../http/lower-ascii.js';
import { trimOws } from '../../http/ows.js';
import { requestOrigin } from '../../oauth/request-origin.js';
import type { HeaderRecord } from './read-http-options.js';

/** The headers of a client's request that reach the target. Credentials, cookies and headers about the connection do not. */
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

/** The prefix of the headers that repeat a tool's parameters (2026-07-28). */
const PARAMETER_PREFIX = 'mcp-param-';

/** The headers that this package adds to one request to the target. */
export interface OwnHeaders {
  /** Those that the application sets. The client's headers of these names are removed. */
  readonly caller: HeaderRecord;
  /** The target's own id of the session that the request names. */
  readonly sessionId: string | undefined;
  readonly contentLength: number | undefined;
}

/**
 * Creates the function that makes the headers of a request to the target: names and values in turn.
 *
 * @param further The option `requestHeaders`.
 */
export function createTargetHeaders(further: readonly string[]) {
  const forwarded = new Set([...FORWARDED, ...further]);

  return (req: IncomingMessage, { caller, sessionId, contentLength }: OwnHeaders): string[] => {
    const { headers } = req;
    const hopByHop = namesIn(headers.connection);
    const result: string[] = [];
    for (const name of Object.keys(headers)) {
      const value = headers[name];
      const passes = forwarded.has(name) || name.startsWith(PARAMETER_PREFIX);
      if (passes && typeof value === 'string' && !hopByHop.has(name) && !caller.has(name)) result.push(name, value);
    }
    for (const [name, value] of caller) if (value !== undefined) result.push(name, value);
    addForwarded(result, req, caller);
    // mcpScopes() reads the answers, so they must not be compressed.
    result.push('accept-encoding', 'identity');
    if (sessionId !== undefined) result.push('mcp-session-id', sessionId);
    if (contentLength !== undefined) result.push('content-length', String(contentLength));
    return result;
  };
}

const NONE: ReadonlySet<string> = new Set();

/** Returns the headers that `Connection` names, which must not be forwarded (RFC 9110, section 7.6.1). */
function namesIn(connection: string | undefined): ReadonlySet<string> {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return NONE;
  return new Set(lowerAscii(connection).split(',').map(trimOws));
}

/** Adds `X-Forwarded-*` as the application sees the client. The client's own headers of these names are not forwarded. */
function addForwarded(result: string[], req: IncomingMessage, caller: HeaderRecord): void {
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined && !caller.has(name)) result.push(name, value);
  };
  add('x-forwarded-for', addressOf(req));
  const origin = originOf(req);
  if (origin === undefined) return;
  const end = origin.indexOf(':');
  add('x-forwarded-host', origin.slice(end + '://'.length));
  add('x-forwarded-proto', origin.slice(0, end));
}

/** Returns the client's address. Express's `ip` respects `trust proxy`, but can be any text that a trusted proxy sends. */
function addressOf(req: IncomingMessage): string | undefined {
  const { ip } = req as { ip?: string };
  const { remoteAddress } = req.socket;
  return ip === undefined || ip === remoteAddress || isIP(ip) === 0 ? remoteAddress : ip;
}

function originOf(req: IncomingMessage): string | undefined {
  try {
    return requestOrigin(req);
  } catch (error) {
    // An HTTP/1.0 request may have no Host, and without mcpAuth() any Host reaches this backend.
    if (error instanceof AuthError) return undefined;
    throw error;
  }
}
