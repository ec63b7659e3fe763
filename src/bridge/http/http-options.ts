import type { IncomingMessage } from 'node:http';
import type { AuthInfo } from '../../core/auth-info.js';
import type { Logger } from '../../core/logger.js';
import { requireArgument } from '../../options/argument.js';
import { createChecks, type OptionChecks } from '../../options/checks.js';
import {
  asGiven,
  flag,
  type OptionTable,
  optional,
  type ResolvedOptions,
  readOptions,
} from '../../options/option-table.js';
import { requireServerUrl } from '../../policy/server-url.js';
import { anonymousShare, BACKEND_ROWS, type BackendOptions, limit } from '../backend-options.js';
import { type CallerTokenOptions, resolveCallerToken } from './caller-token-options.js';
import { mayReachClient, mayReachTarget } from './header-rules.js';
import {
  headerNames,
  requireBearer,
  requireCertificate,
  requireHeaders,
  requirePem,
  requirePems,
} from './read-http-options.js';

/** Headers that say who is calling. A value of `undefined` sends no such header, and removes the client's. */
export type CallerHeaders = Readonly<Record<string, string | undefined>>;

/** The options of `mcpHttpBackend()`. */
export interface McpHttpBackendOptions extends BackendOptions {
  /**
   * The URL of the MCP server's endpoint, with its query: https, or http on this machine. A forward proxy in `HTTPS_PROXY` or
   * `HTTP_PROXY` is used, unless the server is on this machine or in `NO_PROXY`.
   */
  readonly url: string;
  /**
   * Headers for the MCP server; or a function that takes the caller (`undefined`: anonymous) and the request and returns them, at
   * once or as a promise. The function is called for each request. Clients cannot send headers of these names. If the function
   * throws, takes longer than 10 seconds or returns anything else, the request is answered 502. @default {}
   */
  readonly headers?:
    | CallerHeaders
    | ((auth: AuthInfo | undefined, req: IncomingMessage) => CallerHeaders | PromiseLike<CallerHeaders>)
    | undefined;
  /** A secret for the MCP server, sent as `Authorization: Bearer`. @default none is sent */
  readonly bearer?: string | undefined;
  /**
   * Says who is calling in a JWT that lives one minute, sent as `Authorization: Bearer`. Requests of anonymous callers carry none.
   * Mount `backend.callerKeys` at the URL from which the MCP server fetches the keys. @default none is sent
   */
  readonly callerToken?: Readonly<CallerTokenOptions> | undefined;
  /** The authorities that the certificate of the MCP server may come from, in PEM. @default those that Node trusts */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** The client certificate for the MCP server, in PEM. Needs `key`. @default none is sent */
  readonly cert?: string | Buffer | undefined;
  /** The key of `cert`, in PEM. */
  readonly key?: string | Buffer | undefined;
  /** Accepts plain http to another machine. Others can read secrets and change messages on the way. @default false */
  readonly dangerouslyAllowHttp?: boolean | undefined;
  /** The largest number of open sessions; more get 503. @default 10000 */
  readonly maxSessions?: number | undefined;
  /**
   * The largest number of open sessions of one user, through all clients and mounts; more get 429. If a limit is reached, a session
   * that no client uses ends first: one without a stream and without a request in flight. @default 100
   */
  readonly maxSessionsPerUser?: number | undefined;
  /** The largest size of a request body, in bytes; a larger one gets 413. @default 4194304 */
  readonly maxBodyBytes?: number | undefined;
  /** The time in which a connection to the MCP server must be made, in seconds. @default 10 */
  readonly connectTimeoutSeconds?: number | undefined;
  /**
   * The time in which the MCP server must begin to answer a POST or DELETE, in seconds; 0 is no limit. @default 0
   */
  readonly responseTimeoutSeconds?: number | undefined;
  /** Further headers of clients that reach the MCP server. @default [] */
  readonly requestHeaders?: readonly string[] | undefined;
  /** Further headers of the MCP server that reach clients. @default [] */
  readonly responseHeaders?: readonly string[] | undefined;
  /**
   * The time after which a session without a request and without a stream ends, in seconds. With the `secret` of `mcpAuth()`, this
   * process only forgets the session, because another replica may serve it. @default 1800
   */
  readonly idleTimeoutSeconds?: number | undefined;
  /** Gets the reasons of failures, and the warnings of the backend. @default no logging */
  readonly logger?: Logger | undefined;
}

export const HTTP_TABLE = {
  url: { read: asGiven },
  headers: { default: {}, read: requireHeaders },
  bearer: { read: optional(requireBearer) },
  callerToken: { read: optional(resolveCallerToken) },
  ca: { read: optional(requirePems) },
  cert: { read: optional(requirePem) },
  key: { read: optional(requirePem) },
  dangerouslyAllowHttp: flag(false),
  ...BACKEND_ROWS,
  maxSessions: limit(10_000),
  maxSessionsPerUser: limit(100),
  maxBodyBytes: limit(4_194_304),
  connectTimeoutSeconds: limit(10),
  responseTimeoutSeconds: limit(0, 0),
  requestHeaders: { default: [], read: headerNames(mayReachTarget) },
  responseHeaders: { default: [], read: headerNames(mayReachClient) },
  idleTimeoutSeconds: limit(1_800),
} satisfies OptionTable<McpHttpBackendOptions>;

/** Requires that at most one option sets the `Authorization` header. */
function requireOneAuthorization(
  checks: OptionChecks,
  { headers, bearer, callerToken }: Pick<ResolvedOptions<typeof HTTP_TABLE>, 'headers' | 'bearer' | 'callerToken'>,
): void {
  const fix = 'Only one of bearer, callerToken and headers can set Authorization.';
  if (bearer !== undefined && callerToken !== undefined)
    checks.refuseUnquoted('bearer', 'left out with callerToken', fix);
  const isSet = typeof headers !== 'function' && headers.has('authorization');
  if (isSet && (bearer ?? callerToken) !== undefined) checks.refuseUnquoted('headers', 'without Authorization', fix);
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
  const url = requireServerUrl(checks, resolved.url, 'url', resolved.dangerouslyAllowHttp);
  if (url.hash !== '') checks.refuseUnquoted('url', 'a URL without a fragment', 'Remove what follows the "#".');
  requireOneAuthorization(checks, resolved);
  requireCertificate(checks, resolved);
  const { maxAnonymousSessions = anonymousShare(resolved.maxSessions) } = resolved;
  return { ...resolved, url, maxAnonymousSessions };
}
