import type { IncomingMessage } from 'node:http';
import type { AuthInfo } from '../../core/auth-info.js';
import type { Logger } from '../../core/logger.js';
import { requireArgument } from '../../options/argument.js';
import { createChecks, type OptionChecks } from '../../options/checks.js';
import { type OptionTable, type ResolvedOptions, readOptions } from '../../options/option-table.js';
import { TEXTS } from '../../options/value-type.js';
import { anonymousShare, BACKEND_ROWS, type BackendOptions, limit } from '../backend-options.js';
import { foldHeaderName, mayReachClient, mayReachTarget } from './header-rules.js';
import { headerNames } from './read-http-options.js';
import {
  type CallerHeaders,
  REMOTE_SERVER_ROWS,
  type RemoteServerOptions,
  requireRemoteServer,
} from './remote-server-options.js';

/** The options of `mcpHttpBackend()`. */
export interface McpHttpBackendOptions extends RemoteServerOptions, BackendOptions {
  /**
   * Headers for the MCP server; or a function that takes the caller (`undefined`: anonymous) and the request, and returns them or a
   * promise of them. The function is called for each request. A client's own headers of these names are dropped. If the function
   * throws, takes longer than 10 seconds or returns anything else, the request gets 502. @default {}
   */
  readonly headers?:
    | CallerHeaders
    | ((auth: AuthInfo | undefined, req: IncomingMessage) => CallerHeaders | PromiseLike<CallerHeaders>)
    | undefined;
  /** The largest number of open sessions; more get 503. @default 10000 */
  readonly maxSessions?: number | undefined;
  /**
   * The largest number of open sessions of one user, on all paths and through all clients; more get 429. If a limit is reached, a
   * session that no client uses ends first: one without a stream and without a request in flight. @default 100
   */
  readonly maxSessionsPerUser?: number | undefined;
  /**
   * The largest number of requests of one user in flight, on all paths and through all clients; more get 429. GET, DELETE and
   * `subscriptions/listen` are counted separately, because streams stay open: one user may have this number of them, or
   * `maxSessionsPerUser` if that is larger. All anonymous callers together may have as many of each as sessions. @default 64
   */
  readonly maxPendingRequests?: number | undefined;
  /** The largest size of a request body, in bytes; a larger one gets 413. @default 4194304 */
  readonly maxBodyBytes?: number | undefined;
  /** Names of further headers of clients that the MCP server gets. @default [] */
  readonly requestHeaders?: readonly string[] | undefined;
  /** Names of further headers of the MCP server that clients get. @default [] */
  readonly responseHeaders?: readonly string[] | undefined;
  /**
   * Seconds until a session without a request and without a stream ends. With the `secret` of `mcpAuth()`, this process only forgets
   * the session: another replica may serve it. @default 1800
   */
  readonly idleTimeoutSeconds?: number | undefined;
  /** Gets the reasons of failures, and the warnings of the backend. @default no logging */
  readonly logger?: Logger | undefined;
}

export const HTTP_TABLE = {
  ...REMOTE_SERVER_ROWS,
  ...BACKEND_ROWS,
  maxSessions: limit(10_000),
  maxSessionsPerUser: limit(100),
  maxPendingRequests: limit(64),
  maxBodyBytes: limit(4_194_304),
  requestHeaders: { default: [], type: TEXTS, read: headerNames(mayReachTarget) },
  responseHeaders: { default: [], type: TEXTS, read: headerNames(mayReachClient) },
  idleTimeoutSeconds: limit(1_800),
} satisfies OptionTable<McpHttpBackendOptions>;

/** Refuses another spelling of a configured header: some servers read both under one name, so a client could send the header. */
function requireOneSpelling(
  checks: OptionChecks,
  { headers, requestHeaders }: Pick<ResolvedOptions<typeof HTTP_TABLE>, 'headers' | 'requestHeaders'>,
): void {
  if (typeof headers === 'function') return;
  const names = [...headers.keys()];
  const isOther = (name: string, own: string) => name !== own && foldHeaderName(name) === foldHeaderName(own);
  const other = requestHeaders.find((name) => names.some((own) => isOther(name, own)));
  if (other === undefined) return;
  const fix = 'Remove it: servers that do not distinguish "-" and "_" would take it for the one in headers.';
  checks.refuse('requestHeaders', 'other headers than those in headers', other, fix);
}

export interface ResolvedHttp extends Omit<ResolvedOptions<typeof HTTP_TABLE>, 'url' | 'maxAnonymousSessions'> {
  readonly url: URL;
  readonly maxAnonymousSessions: number;
}

/** @throws {ConfigError} For the first option that cannot be used. */
export function resolveHttpOptions(options: Readonly<McpHttpBackendOptions>): ResolvedHttp {
  const checks = createChecks('mcpHttpBackend()');
  const given = requireArgument(checks, options, { example: '{ url: "https://mcp.example.com/mcp" }' });
  const resolved = readOptions(checks, HTTP_TABLE, given);
  const url = requireRemoteServer(checks, resolved);
  requireOneSpelling(checks, resolved);
  const { maxAnonymousSessions = anonymousShare(resolved.maxSessions) } = resolved;
  return { ...resolved, url, maxAnonymousSessions };
}
