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
import { unusableProxyFor } from '../../targets/http/dispatcher.js';
import { anonymousShare, BACKEND_ROWS, type BackendOptions, limit } from '../backend-options.js';
import { type CallerTokenOptions, resolveCallerToken } from './caller-token-options.js';
import { foldHeaderName, mayReachClient, mayReachTarget } from './header-rules.js';
import {
  headerNames,
  requireBearer,
  requireCertificate,
  requireHeaders,
  requirePem,
  requirePems,
} from './read-http-options.js';
import { requireTargetUrl } from './target-url.js';

/** Headers that say who is calling, by name. A value of `undefined` sends no such header, and drops that of the client. */
export type CallerHeaders = Readonly<Record<string, string | undefined>>;

/** The options of `mcpHttpBackend()`. */
export interface McpHttpBackendOptions extends BackendOptions {
  /**
   * The URL of the MCP server's endpoint: https, or http on this machine. A forward proxy that the environment names (`HTTPS_PROXY`,
   * `HTTP_PROXY`, `NO_PROXY`) is used, except for a server on this machine.
   */
  readonly url: string;
  /**
   * Headers for the MCP server; or a function that takes the caller (`undefined`: anonymous) and the request, and returns them or a
   * promise of them. The function is called for each request. A client's own headers of these names are dropped. If the function
   * throws, takes longer than 10 seconds or returns anything else, the request gets 502. @default {}
   */
  readonly headers?:
    | CallerHeaders
    | ((auth: AuthInfo | undefined, req: IncomingMessage) => CallerHeaders | PromiseLike<CallerHeaders>)
    | undefined;
  /** A secret for the MCP server, sent as `Authorization: Bearer`. @default none is sent */
  readonly bearer?: string | undefined;
  /**
   * Says who is calling in a JWT that is valid for one minute, sent as `Authorization: Bearer`. Requests of anonymous callers carry
   * none. Mount `backend.callerKeys` at the URL where the MCP server looks for its keys. @default none is sent
   */
  readonly callerToken?: Readonly<CallerTokenOptions> | undefined;
  /** The authorities, in PEM, that may have issued the MCP server's certificate. @default those that Node trusts */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** The client certificate for the MCP server, in PEM. Needs `key`. @default none is sent */
  readonly cert?: string | Buffer | undefined;
  /** The key of `cert`, in PEM. */
  readonly key?: string | Buffer | undefined;
  /**
   * Allows plain http to an MCP server on another machine. An attacker who can read that traffic learns the secrets in it.
   * @default false
   */
  readonly dangerouslyAllowHttp?: boolean | undefined;
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
  /** Seconds until an attempt to connect to the MCP server fails. @default 10 */
  readonly connectTimeoutSeconds?: number | undefined;
  /**
   * Seconds until the MCP server must begin to answer a POST or DELETE; 0: no limit. An answer that has begun may take longer: once a
   * server has opened an event stream, its tool may run without limit. @default 0
   */
  readonly responseTimeoutSeconds?: number | undefined;
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
  maxPendingRequests: limit(64),
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

/** Refuses a forward proxy that cannot be used. The message does not quote the variable, which may contain a password. */
function requireUsableProxy(checks: OptionChecks, url: URL): void {
  const name = unusableProxyFor(url);
  if (name === undefined) return;
  const fix = `Write ${name}=http://HOST:PORT, or remove the variable.`;
  checks.refuseUnquoted('url', `reachable: ${name} in the environment names no proxy that can be used`, fix);
}

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
  const url = requireTargetUrl(checks, resolved.url, 'url', resolved.dangerouslyAllowHttp);
  requireUsableProxy(checks, url);
  requireOneAuthorization(checks, resolved);
  requireOneSpelling(checks, resolved);
  requireCertificate(checks, resolved);
  const { maxAnonymousSessions = anonymousShare(resolved.maxSessions) } = resolved;
  return { ...resolved, url, maxAnonymousSessions };
}
