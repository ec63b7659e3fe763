import type { AuthInfo } from '../core/auth-info.js';
import type { Logger } from '../core/logger.js';
import { trimOws } from '../http/ows.js';
import { requireArgument } from '../options/argument.js';
import { createChecks, type OptionChecks } from '../options/checks.js';
import { requireEnvironment, requirePlainObject } from '../options/environment.js';
import { type OptionTable, oneOf, optional, type ResolvedOptions, readOptions } from '../options/option-table.js';
import { isCommandLine } from '../targets/stdio/is-command-line.js';
import { anonymousShare, BACKEND_ROWS, type BackendOptions, limit } from './backend-options.js';

const ANONYMOUS_REQUESTS = ['separate', 'shared', 'refuse'] as const;

/** The ways to serve requests of anonymous callers without a session. */
export type AnonymousRequests = (typeof ANONYMOUS_REQUESTS)[number];

/** The options of `mcpStdioBackend()`. */
export interface McpStdioBackendOptions extends BackendOptions {
  /**
   * The program that speaks MCP on its standard input and output. It is started without a shell, and ended with its process group.
   * Processes that leave that group (setsid, daemons) are ended too on Linux, as long as the process that started them lives;
   * elsewhere, after a crash of the program and after a SIGKILL of this process, they continue to run.
   */
  readonly command: string;
  /** Its arguments, one each; no shell reads them. @default [] */
  readonly args?: readonly string[] | undefined;
  /**
   * Environment variables of the child, in addition to those it inherits; or a function that returns them for a caller (`undefined`:
   * anonymous), called once for each child. The token itself is passed on only if this function does so. The function must return a
   * plain object; if it throws or returns a promise or anything else, the request fails. @default {}
   */
  readonly env?:
    | Readonly<Record<string, string>>
    | ((auth: AuthInfo | undefined) => Readonly<Record<string, string>>)
    | undefined;
  /** The child's working directory. @default that of this process */
  readonly cwd?: string | undefined;
  /**
   * Names of environment variables that the child inherits from this process, in addition to HOME, LANG, LC_ALL, LOGNAME, PATH,
   * SHELL, TERM, TMPDIR, TZ and USER. `true`: all variables, secrets included. @default []
   */
  readonly inheritEnv?: true | readonly string[] | undefined;
  /**
   * Takes the caller (`undefined`: anonymous) and returns members that are added to `_meta` of each request. If it is set, a client's
   * own `_meta` members are removed from every message, except those of the protocol (`progressToken`, `io.modelcontextprotocol/…`,
   * `traceparent`, `tracestate`, `baggage`) and those in `allowedClientMeta`. A client's member is always removed if the function
   * returns its key, even with the value `undefined`. The function must return a plain object; if it throws, or returns a promise or
   * anything else, the request fails.
   * @default nothing is added, and nothing removed
   */
  readonly requestMeta?: ((auth: AuthInfo | undefined) => Record<string, unknown>) | undefined;
  /** Further keys of `_meta` that a client may send if `requestMeta` is set. Do not list keys that say who the caller is. @default [] */
  readonly allowedClientMeta?: readonly string[] | undefined;
  /**
   * The largest number of open sessions, including children that serve requests without a session; more get 503. Up to twice as many
   * processes may run while old ones end. @default 100
   */
  readonly maxSessions?: number | undefined;
  /**
   * The largest number of open sessions of one user, through all clients and mounts; more get 429. If a limit is reached, a session
   * that no client uses ends first: one without a stream and without a request in flight. @default 10
   */
  readonly maxSessionsPerUser?: number | undefined;
  /**
   * How to serve requests of anonymous callers without a session (2026-07-28), in which nothing distinguishes two callers. `separate`:
   * each request gets a child that no other request has used. `shared`: all of them share one child, for servers that
   * remember nothing about their callers. `refuse`: 401 with the challenge of `mcpAuth()`, or 403 without one. @default 'separate'
   */
  readonly anonymousRequests?: AnonymousRequests | undefined;
  /** The time after which a session without a request and without a stream ends, in seconds. @default 1800 */
  readonly idleTimeoutSeconds?: number | undefined;
  /** The time that a session without a stream outlives the last token used on it, in seconds. @default 60 */
  readonly expiryGraceSeconds?: number | undefined;
  /**
   * The time in which a program must answer `initialize`, or its first request without a session, in seconds; `npx` may have to
   * download it first. @default 120
   */
  readonly startTimeoutSeconds?: number | undefined;
  /** The time in which a request must be answered, and may wait for a child that is slow to read, in seconds; 0 is no limit. @default 0 */
  readonly requestTimeoutSeconds?: number | undefined;
  /** The largest size of a request body, in bytes; a larger one gets 413. @default 4194304 */
  readonly maxBodyBytes?: number | undefined;
  /** The largest size of one message of the child, in bytes; a larger one fails the request it answers. @default 16777216 */
  readonly maxMessageBytes?: number | undefined;
  /**
   * The largest number of requests of one session in flight, and of its POSTs that wait for a child that is slow to read; more get
   * 429. @default 64
   */
  readonly maxPendingRequests?: number | undefined;
  /**
   * The number of children that are started ahead. Behind an `mcpAuth()`, anonymous callers get a quarter of them. Cannot be combined
   * with an `env` that is a function. @default 0
   */
  readonly warmChildren?: number | undefined;
  /** Gets the child's stderr and the warnings of the bridge. @default no logging */
  readonly logger?: Logger | undefined;
}

export const STDIO_TABLE = {
  command: { read: requireCommand },
  args: { default: [], read: requireArguments },
  env: { default: {}, read: resolveEnv },
  cwd: { read: optional((checks, value, option) => checks.string(value, option, 'Name a directory.')) },
  inheritEnv: { default: [], read: resolveInheritEnv },
  requestMeta: { read: optional(resolveMeta) },
  allowedClientMeta: {
    default: [],
    read: (checks, value, option) => checks.strings(value, option, 'Name the keys that clients may send.'),
  },
  ...BACKEND_ROWS,
  maxSessions: limit(100),
  maxSessionsPerUser: limit(10),
  anonymousRequests: { default: 'separate', read: oneOf(ANONYMOUS_REQUESTS, 'Leave it out for "separate".') },
  idleTimeoutSeconds: limit(1_800),
  expiryGraceSeconds: limit(60, 0),
  startTimeoutSeconds: limit(120),
  requestTimeoutSeconds: limit(0, 0),
  maxBodyBytes: limit(4_194_304),
  maxMessageBytes: limit(16_777_216),
  maxPendingRequests: limit(64),
  warmChildren: limit(0, 0),
} satisfies OptionTable<McpStdioBackendOptions>;

export interface ResolvedStdio extends Omit<ResolvedOptions<typeof STDIO_TABLE>, 'maxAnonymousSessions'> {
  readonly maxAnonymousSessions: number;
}

/** Checks the options of `mcpStdioBackend()`. Throws a `ConfigError` for the first one that cannot be used. */
export function resolveStdioOptions(options: Readonly<McpStdioBackendOptions>): ResolvedStdio {
  const checks = createChecks('mcpStdioBackend()');
  const given = requireArgument(checks, options, { example: '{ command: "node", args: ["server.js"] }' });
  const resolved = readOptions(checks, STDIO_TABLE, given);
  if (resolved.warmChildren > 0 && typeof given.env === 'function') {
    const fix = 'A child started ahead has no caller: remove warmChildren, or use a fixed env.';
    checks.refuse('warmChildren', '0 where env is a function', resolved.warmChildren, fix);
  }
  const { maxAnonymousSessions = anonymousShare(resolved.maxSessions) } = resolved;
  refuseCommandLine(checks, resolved, given.env);
  return { ...resolved, maxAnonymousSessions };
}

type FromCaller<T> = (auth: AuthInfo | undefined) => T;

function resolveEnv(checks: OptionChecks, env: unknown, option: string): FromCaller<Readonly<Record<string, string>>> {
  if (typeof env === 'function') {
    return (auth) => requireEnvironment(checks, requirePlainObject(checks, env(auth), 'env()'), 'env()');
  }
  if (env instanceof Promise) requirePlainObject(checks, env, option);
  const fixed = Object.freeze({ ...requireEnvironment(checks, env, option) });
  return () => fixed;
}

function resolveInheritEnv(checks: OptionChecks, value: unknown, option: string): true | readonly string[] {
  const fix = 'Name the variables to pass on, or use true for all of them.';
  return value === true || checks.strings(value, option, fix);
}

function resolveMeta(checks: OptionChecks, meta: unknown, option: string): FromCaller<Record<string, unknown>> {
  if (typeof meta !== 'function') {
    const fix = 'Give a function, for example (auth) => ({ … }).';
    return checks.refuse(option, 'a function of the caller', meta, fix);
  }
  return (auth) => requirePlainObject(checks, meta(auth), 'requestMeta()');
}

function requireCommand(checks: OptionChecks, value: unknown, option: string): string {
  return requireWord(checks, checks.string(value, option, 'Name the program to start.'), option);
}

/** Refuses a command line. The message does not quote the arguments: there may be secrets among them. */
function refuseCommandLine(
  checks: OptionChecks,
  { command, cwd }: Pick<ResolvedStdio, 'command' | 'cwd'>,
  env: unknown,
): void {
  const path = (env as { PATH?: string } | undefined)?.PATH;
  if (!isCommandLine(command, cwd, path)) return;
  const [program = ''] = trimOws(command).split(' ');
  const fix = `Put the arguments into args: { command: ${JSON.stringify(program)}, args: ["…"] }.`;
  checks.refuse('command', 'the program alone, without its arguments', `${program} …`, fix);
}

function requireArguments(checks: OptionChecks, value: unknown, option: string): readonly string[] {
  const words: readonly unknown[] = Array.isArray(value)
    ? value
    : checks.refuse(option, 'an array of strings', value, 'Give one string for each argument.');
  return Object.freeze(words.map((word, index) => requireWord(checks, word, `${option}[${index}]`)));
}

function requireWord(checks: OptionChecks, value: unknown, option: string): string {
  return typeof value === 'string' && !value.includes('\0')
    ? value
    : checks.refuse(option, 'a string without NUL', value, 'Give one string for each argument.');
}
