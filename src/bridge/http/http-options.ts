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
import { anonymousShare, BACKEND_ROWS, limit } from '../backend-options.js';
import { type CallerTokenOptions, resolveCallerToken } from './caller-token-options.js';
import { mayComeBack, mayGoOn } from './header-rules.js';
import {
  headerNames,
  requireBearer,
  requireCertificate,
  requireHeaders,
  requirePem,
  requirePems,
} from './read-http-options.js';

/** Headers that say who is calling; a value of `undefined` sets none, and keeps the client's from going on. */
export type CallerHeaders = Readonly<Record<string, string | undefined>>;

/** The options of `mcpHttpBackend()`. */
export interface McpHttpBackendOptions {
  /**
   * Where the MCP server is: the URL of its endpoint, with its query. https, or http on this machine. The forward proxy that the
   * environment names (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`) is used, but not for this machine.
   */
  readonly url: string;
  /**
   * Headers for the MCP server, or a function from the caller (`undefined`: anonymous) and the request to them, called for each
   * request, synchronous or not. No client can send a header of these names itself. A function that throws, takes longer than 10
   * seconds or returns anything else fails the request with 502. @default {}
   */
  readonly headers?:
    | CallerHeaders
    | ((auth: AuthInfo | undefined, req: IncomingMessage) => CallerHeaders | PromiseLike<CallerHeaders>)
    | undefined;
  /** A secret for the MCP server, sent as `Authorization: Bearer`. @default none is sent */
  readonly bearer?: string | undefined;
  /**
   * Says who is calling in a JWT of one minute, sent as `Authorization: Bearer`; requests of anonymous callers carry none. Mount
   * `backend.callerKeys` where the MCP server finds its keys. @default none is sent
   */
  readonly callerToken?: Readonly<CallerTokenOptions> | undefined;
  /** The authorities, in PEM, whose certificates the MCP server may have. @default those that Node trusts */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** The client certificate for the MCP server, in PEM, with `key`. @default none is sent */
  readonly cert?: string | Buffer | undefined;
  /** The key of `cert`, in PEM. */
  readonly key?: string | Buffer | undefined;
  /** Lets `url` be plain http on another machine: on the way, others can read secrets and change messages. @default false */
  readonly dangerouslyAllowHttp?: boolean | undefined;
  /** The URL that clients use (RFC 8707), where no `mcpAuth()` in front names it; its host is an allowed Host on loopback listeners. */
  readonly resource?: string | undefined;
  /**
   * Host headers that are let through, as `name`, or `name:port`. Given, every connection is checked; not given,
   * only those to a loopback address, where `localhost`, `127.0.0.1`, `[::1]` and the host of `resource` are allowed.
   * @default loopback and the host of `resource`, on loopback listeners
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /**
   * Origin headers that are let through, as `https://name`, or `https://name:port`. Given, every connection is checked;
   * not given, only those with a loopback Host, where loopback origins and that of `resource` are allowed. `'*'` lets every
   * origin through, which is safe only where a token is required.
   * @default loopback and the origin of `resource`, on loopback listeners
   */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** How many sessions may be open at once; more are answered 503. @default 10000 */
  readonly maxSessions?: number | undefined;
  /**
   * How many sessions one user may have open at once, wherever and through whatever client; more are answered 429. Where a cap is
   * reached, a session that no client attends ends first: one without a stream and without a request in flight. @default 100
   */
  readonly maxSessionsPerUser?: number | undefined;
  /**
   * How many sessions anonymous callers may have open at once behind an `mcpAuth()` that lets them pass; more are answered 503. Without
   * an `mcpAuth()` in front, all of `maxSessions` is theirs. @default a quarter of `maxSessions`
   */
  readonly maxAnonymousSessions?: number | undefined;
  /** How long a request body may be, in bytes; a longer one is answered 413. @default 4194304 */
  readonly maxBodyBytes?: number | undefined;
  /** How long it may take to connect to the MCP server, in seconds. @default 10 */
  readonly connectTimeoutSeconds?: number | undefined;
  /**
   * How long the MCP server may take until it begins to answer a POST or DELETE, in seconds; 0: as long as it likes. @default 0
   */
  readonly responseTimeoutSeconds?: number | undefined;
  /** Further headers of clients that go on to the MCP server. @default [] */
  readonly requestHeaders?: readonly string[] | undefined;
  /** Further headers of the MCP server that come back to clients. @default [] */
  readonly responseHeaders?: readonly string[] | undefined;
  /**
   * How long a session without a request and without a stream lives, in seconds. With the `secret` of `mcpAuth()`, it is only
   * forgotten here: another replica may serve it. @default 1800
   */
  readonly idleTimeoutSeconds?: number | undefined;
  /**
   * `true` warns once when a request comes from another machine without an `mcpAuth()` in front; `false` where something else
   * checks who calls. @default true
   */
  readonly warnWhenOpen?: boolean | undefined;
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
  requestHeaders: { default: [], read: headerNames(mayGoOn) },
  responseHeaders: { default: [], read: headerNames(mayComeBack) },
  idleTimeoutSeconds: limit(1_800),
} satisfies OptionTable<McpHttpBackendOptions>;

/** One header can say only one thing of who is calling. */
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

/** Checks the options of `mcpHttpBackend()`, once; throws a `ConfigError` for the first that cannot be used. */
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
