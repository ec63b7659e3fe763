import type { OptionChecks } from '../../options/checks.js';
import { asGiven, flag, optional, type ResolvedOptions } from '../../options/option-table.js';
import { membersOf } from '../../options/value-type.js';
import { unusableProxyFor } from '../../targets/http/dispatcher.js';
import { timerSeconds } from '../backend-options.js';
import { CALLER_TOKEN_TABLE, type CallerTokenOptions, resolveCallerToken } from './caller-token-options.js';
import { requireBearer, requireCertificate, requireHeaders, requirePem, requirePems } from './read-http-options.js';
import { type RetryOptions, resolveRetry } from './retry-options.js';
import { requireTargetUrl } from './target-url.js';

/** Headers that say who is calling, by name. A value of `undefined` sends no such header, and drops that of the client. */
export type CallerHeaders = Readonly<Record<string, string | undefined>>;

/** The options of a remote MCP server, apart from `headers`. */
export interface RemoteServerOptions {
  /**
   * The URL of the MCP server's endpoint: https, or http on this machine. A forward proxy that the environment names (`HTTPS_PROXY`,
   * `HTTP_PROXY`, `NO_PROXY`) is used, except for a server on this machine.
   */
  readonly url: string;
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
  /** Seconds until an attempt to connect to the MCP server fails. @default 10 */
  readonly connectTimeoutSeconds?: number | undefined;
  /**
   * Seconds until the MCP server must begin to answer a POST or DELETE; 0: no limit. An answer that has begun may take longer: once a
   * server has opened an event stream, its tool may run without limit. @default 0
   */
  readonly responseTimeoutSeconds?: number | undefined;
  /** Sends a request again that failed and is safe to repeat. @default no request is sent twice */
  readonly retry?: Readonly<RetryOptions> | undefined;
}

/** The rows of {@link RemoteServerOptions}, and of `headers`. */
export const REMOTE_SERVER_ROWS = {
  url: { read: asGiven },
  headers: { default: {}, read: requireHeaders },
  bearer: { read: optional(requireBearer) },
  callerToken: { type: membersOf('callerToken', CALLER_TOKEN_TABLE), read: optional(resolveCallerToken) },
  ca: { read: optional(requirePems) },
  cert: { read: optional(requirePem) },
  key: { read: optional(requirePem) },
  dangerouslyAllowHttp: flag(false),
  connectTimeoutSeconds: timerSeconds(10),
  responseTimeoutSeconds: timerSeconds(0, 0),
  retry: { read: optional(resolveRetry) },
};

type ReadServer = ResolvedOptions<typeof REMOTE_SERVER_ROWS>;

/** A remote server whose options fit together. */
export interface ResolvedServer extends Omit<ReadServer, 'url'> {
  readonly url: URL;
}

/**
 * Refuses options of a remote server that do not fit together, and returns its URL.
 *
 * @param path The option whose members they are, with a dot; empty for the argument itself.
 */
export function requireRemoteServer(checks: OptionChecks, resolved: ReadServer, path = ''): URL {
  const url = requireTargetUrl(checks, resolved.url, `${path}url`, resolved.dangerouslyAllowHttp);
  requireUsableProxy(checks, url, path);
  requireOneAuthorization(checks, resolved, path);
  requireCertificate(checks, resolved, path);
  return url;
}

/** Refuses a forward proxy that cannot be used. The message does not quote the variable, which may contain a password. */
function requireUsableProxy(checks: OptionChecks, url: URL, path: string): void {
  const name = unusableProxyFor(url);
  if (name === undefined) return;
  const fix = `Write ${name}=http://HOST:PORT, or remove the variable.`;
  checks.refuseUnquoted(`${path}url`, `reachable: ${name} in the environment names no proxy that can be used`, fix);
}

/** Requires that at most one option sets the `Authorization` header. */
function requireOneAuthorization(
  checks: OptionChecks,
  { headers, bearer, callerToken }: ReadServer,
  path: string,
): void {
  const fix = 'Only one of bearer, callerToken and headers can set Authorization.';
  if (bearer !== undefined && callerToken !== undefined)
    checks.refuseUnquoted(`${path}bearer`, 'left out with callerToken', fix);
  const isSet = typeof headers !== 'function' && headers.has('authorization');
  if (isSet && (bearer ?? callerToken) !== undefined)
    checks.refuseUnquoted(`${path}headers`, 'without Authorization', fix);
}
