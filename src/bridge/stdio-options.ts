import type { AuthInfo } from '../core/auth-info.js';
import type { Logger } from '../core/logger.js';
import { trimOws } from '../http/ows.js';
import { requireArgument } from '../options/argument.js';
import { createChecks, type OptionChecks } from '../options/checks.js';
import { requireEnvironment, requirePlainObject } from '../options/environment.js';
import { type OptionTable, oneOf, optional, type ResolvedOptions, readOptions } from '../options/option-table.js';
import { isCommandLine } from '../targets/stdio/is-command-line.js';
import { anonymousShare, BACKEND_ROWS, limit } from './backend-options.js';

const ANONYMOUS_REQUESTS = ['separate', 'shared', 'refuse'] as const;

/** How requests of anonymous callers are served that have no session. */
export type AnonymousRequests = (typeof ANONYMOUS_REQUESTS)[number];

/** The options of `mcpStdioBackend()`. */
export interface McpStdioBackendOptions {
  /**
   * The program that speaks MCP on its standard input and output. It is started without a shell, and ended with its process group.
   * Processes that leave that group (setsid, daemons) are ended too on Linux, as long as the process that started them lives;
   * elsewhere, after a crash of the program and after a SIGKILL of our own process they stay.
   */
  readonly command: string;
  /** Its arguments, one each; no shell reads them. @default `[]` */
  readonly args?: readonly string[] | undefined;
  /**
   * Environment variables of the child, beside those it inherits; or a function from the caller (`undefined`: anonymous) to
   * them, called once for each child. The token itself is never passed on unless this function does so. The function is
   * synchronous; an exception, a promise and anything else but a plain object refuse the request. @default `{}`
   */
  readonly env?:
    | Readonly<Record<string, string>>
    | ((auth: AuthInfo | undefined) => Readonly<Record<string, string>>)
    | undefined;
  /** The child's working directory. @default our own */
  readonly cwd?: string | undefined;
  /**
   * Variables of our own environment that the child sees beside HOME, LANG, LC_ALL, LOGNAME, PATH, SHELL, TERM, TMPDIR, TZ and USER;
   * `true`: all of them. @default `[]`
   */
  readonly inheritEnv?: true | readonly string[] | undefined;
  /**
   * Members for `_meta` of each request, chosen by the caller (`undefined`: anonymous). With it, a client's own `_meta` members are
   * taken away from every message, but for the protocol's (`progressToken`, `io.modelcontextprotocol/…`, `traceparent`,
   * `tracestate`, `baggage`) and those that `passMeta` lists. A key that is returned, with `undefined` too, is never the
   * client's. The function is synchronous; an exception, a promise and anything else but a plain object refuse the request.
   * @default nothing is added, and nothing taken away
   */
  readonly meta?: ((auth: AuthInfo | undefined) => Record<string, unknown>) | undefined;
  /** Further keys of `_meta` that a client may send where `meta` is set; never one that says who the caller is. @default `[]` */
  readonly passMeta?: readonly string[] | undefined;
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
  /**
   * How many sessions may be open at once, children of requests without a session included; more are answered 503. Processes may be
   * twice as many while old ones end. @default `100`
   */
  readonly maxSessions?: number | undefined;
  /**
   * How many sessions one user may have open at once, wherever and through whatever client; more are answered 429. Where a cap is
   * reached, a session that no client attends ends first: one without a stream and without a request in flight. @default `10`
   */
  readonly maxSessionsPerUser?: number | undefined;
  /**
   * How many sessions anonymous callers may have open at once behind an `mcpAuth()` that lets them pass; more are answered 503. Without
   * an `mcpAuth()` in front, all of `maxSessions` is theirs. @default a quarter of `maxSessions`
   */
  readonly maxAnonymousSessions?: number | undefined;
  /**
   * How requests of anonymous callers without a session (2026-07-28) are served: nothing in them distinguishes two callers. `separate`:
   * each request gets a child that no other request has used. `shared`: all of them share one child, for servers that
   * remember nothing of their callers. `refuse`: with the challenge of `mcpAuth()`; 403 where there is none. @default `'separate'`
   */
  readonly anonymousRequests?: AnonymousRequests | undefined;
  /** How long a session without a request and without a stream lives, in seconds. @default `1800` */
  readonly idleTimeoutSeconds?: number | undefined;
  /** How long a session without a stream outlives the last token used on it, in seconds. @default `60` */
  readonly expiryGraceSeconds?: number | undefined;
  /**
   * How long a program may take until it answers `initialize`, or its first request without a session, in seconds; `npx` may have to
   * download it first. @default `120`
   */
  readonly startTimeoutSeconds?: number | undefined;
  /** How long a request may take, and wait for a child that is slow to read, in seconds; 0: as long as it likes. @default `0` */
  readonly requestTimeoutSeconds?: number | undefined;
  /** How long a request body may be, in bytes; a longer one is answered 413. @default `4194304` */
  readonly maxBodyBytes?: number | undefined;
  /** How long one message of the child may be, in bytes; a longer one fails the request it answers. @default `16777216` */
  readonly maxMessageBytes?: number | undefined;
  /**
   * How many requests of one session may be in flight, and how many of its POSTs may wait until a child that is slow to read has
   * read on; more are answered 429. @default `64`
   */
  readonly maxPendingRequests?: number | undefined;
  /**
   * How many children are started ahead; behind an `mcpAuth()`, anonymous callers get a quarter of them. Not together with an `env`
   * that is a function. @default `0`
   */
  readonly warm?: number | undefined;
  /**
   * `true` warns once when a request comes from another machine without an `mcpAuth()` in front; `false` where something else
   * checks who calls. @default `true`
   */
  readonly warnWhenOpen?: boolean | undefined;
  /** Gets the child's stderr and the warnings of the bridge. @default no logging */
  readonly logger?: Logger | undefined;
}

export const STDIO_TABLE = {
  command: { read: requireCommand },
  args: { default: [], read: requireArguments },
  env: { default: {}, read: resolveEnv },
  cwd: { read: optional((checks, value, option) => checks.string(value, option, 'Name a directory.')) },
  inheritEnv: { default: [], read: resolveInheritEnv },
  meta: { read: optional(resolveMeta) },
  passMeta: {
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
  warm: limit(0, 0),
} satisfies OptionTable<McpStdioBackendOptions>;

export interface ResolvedStdio extends Omit<ResolvedOptions<typeof STDIO_TABLE>, 'maxAnonymousSessions'> {
  readonly maxAnonymousSessions: number;
}

/** Checks the options of `mcpStdioBackend()`, once; throws a `ConfigError` for the first that cannot be used. */
export function resolveStdioOptions(options: Readonly<McpStdioBackendOptions>): ResolvedStdio {
  const checks = createChecks('mcpStdioBackend()');
  const given = requireArgument(checks, options, { example: '{ command: "node", args: ["server.js"] }' });
  const resolved = readOptions(checks, STDIO_TABLE, given);
  if (resolved.warm > 0 && typeof given.env === 'function') {
    const fix = 'A child started ahead has no caller: remove warm, or use a fixed env.';
    checks.refuse('warm', '0 where env is a function', resolved.warm, fix);
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
  return (auth) => requirePlainObject(checks, meta(auth), 'meta()');
}

function requireCommand(checks: OptionChecks, value: unknown, option: string): string {
  return requireWord(checks, checks.string(value, option, 'Name the program to start.'), option);
}

/** The message does not quote the arguments: there may be secrets among them. */
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
