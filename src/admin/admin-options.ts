import type { IncomingMessage } from 'node:http';
import { factsOf } from '../bridge/backend-facts.js';
import { BACKEND_ROWS } from '../bridge/backend-options.js';
import type { Logger, McpAuth } from '../index.js';
import { requireArgument } from '../options/argument.js';
import { createChecks, type OptionChecks } from '../options/checks.js';
import { resolveLogger } from '../options/logger-option.js';
import { type OptionTable, optional, type ResolvedOptions, readOptions } from '../options/option-table.js';
import { findPolicy } from '../policy/resolved-policy.js';
import type { AnyBackend } from './admin-source.js';

/** The options of `mcpAdmin()`. */
export interface McpAdminOptions {
  /**
   * Decides who may use the page, which shows who calls what, and can call tools. `'loopback'` accepts requests from this machine whose `Host`
   * is a name of this machine. Never use it behind a proxy on this machine, because all requests then come from there. A function returns true
   * for a request of an operator, for example by the session of your own login. `() => true` is for a page behind a middleware that has
   * checked the request. After a minute, an open page connects again, so that both decide on a new request.
   */
  readonly authorize: 'loopback' | ((req: IncomingMessage) => boolean | PromiseLike<boolean>);
  /**
   * The backends, each under the path at which it is mounted, such as `{ '/mcp': backend }`. The page calls tools at these paths.
   *
   * @default {}
   */
  readonly backends?: Readonly<Record<string, AnyBackend>> | undefined;
  /**
   * The path at which an MCP server is mounted that is not a backend, such as `/mcp`. The page calls its tools there: behind a proxy that removes
   * the first part of paths, that is the path without this part.
   *
   * @default without backends, the path of the resource of `auth`
   */
  readonly serverPath?: string | undefined;
  /**
   * The `mcpAuth()` in front of them. Without it, the page can neither revoke tokens nor run the doctor.
   *
   * @default none
   */
  readonly auth?: McpAuth | undefined;
  /**
   * The allowed Host headers, as `name` or `name:port`. If given, every connection is checked; if not, only connections to a loopback
   * address, where names of this machine and the host of the resource of `auth` are allowed.
   *
   * @default names of this machine and the host of the resource, on loopback listeners
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Receives a line when the page refuses a `Host`, and when a request fails. @default no logging */
  readonly logger?: Logger | undefined;
}

const AUTHORIZE_FIX =
  'Give a function that returns true for requests of operators; or "loopback" for this machine alone; or () => true behind a middleware that has checked it.';

export const ADMIN_TABLE = {
  authorize: { read: readAuthorize },
  backends: { default: {}, read: readBackends },
  serverPath: { read: optional(readServerPath) },
  auth: { read: optional(readAuth) },
  allowedHosts: BACKEND_ROWS.allowedHosts,
  logger: { read: resolveLogger },
} satisfies OptionTable<McpAdminOptions>;

export type ResolvedAdmin = ResolvedOptions<typeof ADMIN_TABLE>;

/** @throws {ConfigError} For the first option that cannot be used. */
export function resolveAdminOptions(options: Readonly<McpAdminOptions>): ResolvedAdmin {
  const checks = createChecks('mcpAdmin()');
  const given = requireArgument(checks, options, { example: '{ authorize: …, backends: { "/mcp": backend }, auth }' });
  const resolved = readOptions(checks, ADMIN_TABLE, given);
  const { backends, serverPath } = resolved;
  if (serverPath !== undefined && backends.has(serverPath))
    checks.refuse('serverPath', 'another path than those of backends', serverPath, SERVER_PATH_FIX);
  return resolved;
}

function readAuthorize(checks: OptionChecks, value: unknown, option: string): McpAdminOptions['authorize'] {
  if (value === 'loopback' || typeof value === 'function') return value as McpAdminOptions['authorize'];
  return checks.refuse(option, '"loopback" or a function', value, AUTHORIZE_FIX);
}

const PATH = /^\/[\w./~-]*$/;

const SERVER_PATH_FIX =
  'Write "/mcp", the path at which a server that is no backend is mounted; for a backend, leave it out.';

function readServerPath(checks: OptionChecks, value: unknown, option: string): string {
  if (typeof value === 'string' && PATH.test(value)) return value;
  return checks.refuse(option, 'a path', value, SERVER_PATH_FIX);
}

const BACKENDS_FIX = 'Write { "/mcp": backend }, with the path at which the backend is mounted.';

function readBackends(checks: OptionChecks, value: unknown, option: string): ReadonlyMap<string, AnyBackend> {
  const given = Object.entries(checks.record(value, option, BACKENDS_FIX));
  for (const [path, backend] of given) {
    if (!PATH.test(path)) checks.refuse(option, 'an object whose names are paths', path, BACKENDS_FIX);
    const isBackend = typeof backend === 'function' && factsOf(backend) !== undefined;
    if (!isBackend)
      checks.refuseUnquoted(`${option}["${path}"]`, 'a backend, as mcpStdioBackend() returns it', BACKENDS_FIX);
  }
  return new Map(given as [string, AnyBackend][]);
}

function readAuth(checks: OptionChecks, value: unknown, option: string): McpAuth {
  if (typeof value === 'function' && findPolicy(value as McpAuth) !== undefined) return value as McpAuth;
  return checks.refuseUnquoted(option, 'the middleware that mcpAuth() returned', 'Write auth: mcpAuth({ … }).');
}
