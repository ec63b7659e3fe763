import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { AuthError } from '../../core/errors.js';
import { lowerAscii } from '../../http/lower-ascii.js';
import { trimOws } from '../../http/ows.js';
import { requestOrigin } from '../../oauth/request-origin.js';
import type { HeaderRecord } from './read-http-options.js';

/** What of a client's request goes on to the target. Its login, its cookies and what is about its connection are not among it. */
const PASSED_ON = [
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

/** The headers of 2026-07-28 that repeat a tool's parameters. */
const PARAMETER = 'mcp-param-';

/** The headers of one request to the target, beside those of the client. */
export interface OwnHeaders {
  /** The application's: a name that is in it is never the client's. */
  readonly caller: HeaderRecord;
  /** The target's own id of the session that is named. */
  readonly sessionId: string | undefined;
  readonly contentLength: number | undefined;
}

/** @param further The option `requestHeaders`. */
export function createTargetHeaders(further: readonly string[]) {
  const passedOn = new Set([...PASSED_ON, ...further]);

  /** The headers of a request to the target: names and values in turn. */
  return (req: IncomingMessage, { caller, sessionId, contentLength }: OwnHeaders): string[] => {
    const { headers } = req;
    const ofTheHop = namesIn(headers.connection);
    const result: string[] = [];
    for (const name of Object.keys(headers)) {
      const value = headers[name];
      const passes = passedOn.has(name) || name.startsWith(PARAMETER);
      if (passes && typeof value === 'string' && !ofTheHop.has(name) && !caller.has(name)) result.push(name, value);
    }
    for (const [name, value] of caller) if (value !== undefined) result.push(name, value);
    addForwarded(result, req, caller);
    // Messages are looked at on their way back, by mcpScopes() for one.
    result.push('accept-encoding', 'identity');
    if (sessionId !== undefined) result.push('mcp-session-id', sessionId);
    if (contentLength !== undefined) result.push('content-length', String(contentLength));
    return result;
  };
}

const NONE: ReadonlySet<string> = new Set();

/** RFC 9110, section 7.6.1: a sender names what the next hop must not pass on. */
function namesIn(connection: string | undefined): ReadonlySet<string> {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return NONE;
  return new Set(lowerAscii(connection).split(',').map(trimOws));
}

/** Says who the client is, as the application sees it: what clients say themselves of it does not pass. */
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

/** Express's `ip` looks through the proxies that `trust proxy` trusts, and takes what they say of the client as it is. */
function addressOf(req: IncomingMessage): string | undefined {
  const { ip } = req as { ip?: string };
  const { remoteAddress } = req.socket;
  return ip === undefined || ip === remoteAddress || isIP(ip) === 0 ? remoteAddress : ip;
}

function originOf(req: IncomingMessage): string | undefined {
  try {
    return requestOrigin(req);
  } catch (error) {
    // HTTP/1.0 has requests without Host, and a backend without mcpAuth() may get any.
    if (error instanceof AuthError) return undefined;
    throw error;
  }
}
