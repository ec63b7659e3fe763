import type { AuthInfo } from '../core/auth-info.js';
import type { Logger } from '../core/logger.js';
import { requireArgument } from '../options/argument.js';
import { createChecks, type OptionChecks, optionNames } from '../options/checks.js';
import { requireEnvironment, requirePlainObject } from '../options/environment.js';
import { resolveLogger } from '../options/logger-option.js';
import { type ResourceIdentity, requireResource } from '../policy/resolve-resource.js';

/** What `mcpStdioBackend()` may be told. */
export interface McpStdioBackendOptions {
  /**
   * The program that speaks MCP on its standard input and output. It is started without a shell, and ended with its process group.
   * What leaves that group (setsid, daemons) is ended too on Linux, as long as the process that started it lives; elsewhere, after
   * a crash of the program and after a SIGKILL of our own process it stays.
   */
  readonly command: string;
  /** Its arguments, one each; no shell reads them. @default [] */
  readonly args?: readonly string[] | undefined;
  /**
   * Environment variables of the child, beside those it inherits; or a function from the caller (`undefined`: anonymous) to
   * them, called once for each child. The token itself is never passed on unless this function does so. The function is
   * synchronous; an exception, a promise and anything else but a plain object refuse the request. @default {}
   */
  readonly env?:
    | Readonly<Record<string, string>>
    | ((auth: AuthInfo | undefined) => Readonly<Record<string, string>>)
    | undefined;
  /** The child's working directory. @default our own */
  readonly cwd?: string | undefined;
  /**
   * Variables of our own environment that the child sees beside HOME, LANG, LC_ALL, LOGNAME, PATH, SHELL, TERM, TMPDIR, TZ and USER;
   * `true`: all of them. @default []
   */
  readonly inheritEnv?: true | readonly string[] | undefined;
  /**
   * Members for `_meta` of each request, told by the caller (`undefined`: anonymous). With it, a client's own `_meta` members are
   * taken away from every message, but for the protocol's (`progressToken`, `io.modelcontextprotocol/…`, `traceparent`,
   * `tracestate`, `baggage`) and those that `passMeta` lists. A key that is returned, with `undefined` too, is never the
   * client's. The function is synchronous; an exception, a promise and anything else but a plain object refuse the request.
   * @default nothing is added, and nothing taken away
   */
  readonly meta?: ((auth: AuthInfo | undefined) => Record<string, unknown>) | undefined;
  /** Further keys of `_meta` that a client may send where `meta` is set; never one that says who the caller is. @default [] */
  readonly passMeta?: readonly string[] | undefined;
  /** The URL that clients use (RFC 8707); its host is an allowed Host on loopback listeners. @default none */
  readonly resource?: string | undefined;
  /**
   * Host headers that are let through, as `name`, or `name:port`. Given, every connection is checked; not given,
   * only those to a loopback address, where `localhost`, `127.0.0.1`, `[::1]` and the host of `resource` are allowed.
   * @default not given
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /**
   * Origin headers that are let through, as `https://name`, or `https://name:port`. Given, every connection is checked;
   * not given, only those with a loopback Host, where loopback origins and that of `resource` are allowed. `'*'` lets every
   * origin through, which is safe only where a token is required. @default not given
   */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * How many sessions may be open at once, children of requests without a session included; more are answered 503. Processes may be
   * twice as many while old ones end. @default 100
   */
  readonly maxSessions?: number | undefined;
  /** How many sessions one user may have open at once, wherever and through whatever client; more are answered 429. @default 10 */
  readonly maxSessionsPerUser?: number | undefined;
  /** How long a session without a request and without a stream lives, in seconds. @default 1800 */
  readonly idleTimeoutSeconds?: number | undefined;
  /** How long a session without a stream outlives the last token used on it, in seconds. @default 60 */
  readonly expiryGraceSeconds?: number | undefined;
  /** How long a request may take, and wait for a child that is slow to read, in seconds; 0: as long as it likes. @default 0 */
  readonly requestTimeoutSeconds?: number | undefined;
  /** How long a request body may be, in bytes; a longer one is answered 413. @default 4194304 */
  readonly maxBodyBytes?: number | undefined;
  /** How long one message of the child may be, in bytes; a longer one fails the request it answers. @default 16777216 */
  readonly maxMessageBytes?: number | undefined;
  /**
   * How many requests of one session may be in flight, and how many of its POSTs may wait until a child that is slow to read has
   * read on; more are answered 429. @default 64
   */
  readonly maxPendingRequests?: number | undefined;
  /** How many children are started ahead. Not together with an `env` that is a function. @default 0 */
  readonly warm?: number | undefined;
  /** Where the child's stderr and what we notice go. @default nobody is told */
  readonly logger?: Logger | undefined;
}

/** The defaults of everything that is a number. */
export const STDIO_DEFAULTS = Object.freeze({
  maxSessions: 100,
  maxSessionsPerUser: 10,
  idleTimeoutSeconds: 1_800,
  expiryGraceSeconds: 60,
  requestTimeoutSeconds: 0,
  maxBodyBytes: 4_194_304,
  maxMessageBytes: 16_777_216,
  maxPendingRequests: 64,
  warm: 0,
} satisfies Partial<Record<keyof McpStdioBackendOptions, number>>);

type NumberName = keyof typeof STDIO_DEFAULTS;

const STDIO_NUMBERS = Object.keys(STDIO_DEFAULTS) as readonly NumberName[];

const STDIO_OPTIONS = [
  ...optionNames<Omit<McpStdioBackendOptions, NumberName>>({
    command: true,
    args: true,
    env: true,
    cwd: true,
    inheritEnv: true,
    meta: true,
    passMeta: true,
    resource: true,
    allowedHosts: true,
    allowedOrigins: true,
    logger: true,
  }),
  ...STDIO_NUMBERS,
];

/** The options as they are held: checked, and nothing left out but what has no default. */
export interface ResolvedStdio {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: (auth: AuthInfo | undefined) => Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
  readonly inheritEnv: true | readonly string[];
  readonly meta: ((auth: AuthInfo | undefined) => Record<string, unknown>) | undefined;
  readonly passMeta: readonly string[];
  readonly resource: ResourceIdentity | undefined;
  readonly allowedHosts: readonly string[] | undefined;
  readonly allowedOrigins: readonly string[] | undefined;
  readonly limits: Readonly<Record<NumberName, number>>;
  readonly logger: Logger;
}

/** Checks the options of `mcpStdioBackend()`, once; throws a `ConfigError` for the first that cannot be used. */
export function resolveStdioOptions(options: Readonly<McpStdioBackendOptions>): ResolvedStdio {
  const checks = createChecks('mcpStdioBackend()');
  const argument = requireArgument(checks, options, { example: '{ command: "node", args: ["server.js"] }' });
  checks.knownKeys(argument, '', STDIO_OPTIONS);
  const given = argument as Partial<McpStdioBackendOptions>;
  const { args, cwd, inheritEnv, allowedHosts, allowedOrigins, meta, resource } = given;
  const words = requireArray(checks, args ?? [], 'args');
  const limits = resolveLimits(checks, given);

  return Object.freeze({
    command: requireWord(checks, checks.string(given.command, 'command', 'Name the program to start.'), 'command'),
    args: Object.freeze(words.map((word, index) => requireWord(checks, word, `args[${index}]`))),
    env: resolveEnv(checks, given.env, limits.warm),
    cwd: cwd === undefined ? undefined : checks.string(cwd, 'cwd', 'Name a directory.'),
    inheritEnv:
      inheritEnv === undefined || inheritEnv === true
        ? (inheritEnv ?? [])
        : checks.strings(inheritEnv, 'inheritEnv', 'Name the variables to pass on, or use true for all of them.'),
    meta: resolveMeta(checks, meta),
    passMeta: checks.strings(given.passMeta ?? [], 'passMeta', 'Name the keys that clients may send.'),
    resource: resource === undefined ? undefined : requireResource(checks, resource, 'resource'),
    allowedHosts: lowerCase(checks, allowedHosts, 'allowedHosts', 'Name hosts such as "api.example.com".'),
    allowedOrigins: lowerCase(
      checks,
      allowedOrigins,
      'allowedOrigins',
      'Name origins such as "https://app.example.com".',
    ),
    limits,
    logger: resolveLogger(checks, given.logger),
  });
}

function resolveEnv(checks: OptionChecks, env: McpStdioBackendOptions['env'] = {}, warm: number): ResolvedStdio['env'] {
  if (typeof env === 'function') {
    if (warm > 0) {
      checks.refuse(
        'warm',
        '0 where env is a function',
        warm,
        'A child started ahead has no caller: remove warm, or use a fixed env.',
      );
    }
    return (auth) => requireEnvironment(checks, requirePlainObject(checks, env(auth), 'env()'), 'env()');
  }
  if (env instanceof Promise) requirePlainObject(checks, env, 'env');
  const fixed = Object.freeze({ ...requireEnvironment(checks, env, 'env') });
  return () => fixed;
}

function resolveMeta(checks: OptionChecks, meta: McpStdioBackendOptions['meta']): ResolvedStdio['meta'] {
  if (meta === undefined) return undefined;
  requireFunction(checks, meta, 'meta');
  return (auth) => requirePlainObject(checks, meta(auth), 'meta()');
}

function resolveLimits(checks: OptionChecks, options: Partial<McpStdioBackendOptions>): ResolvedStdio['limits'] {
  const limits: Record<NumberName, number> = { ...STDIO_DEFAULTS };
  const mayBeZero: readonly NumberName[] = ['warm', 'requestTimeoutSeconds', 'expiryGraceSeconds'];
  for (const name of STDIO_NUMBERS) {
    const value = options[name];
    if (value === undefined) continue;
    limits[name] = checks.integer(
      value,
      name,
      mayBeZero.includes(name) ? 0 : 1,
      `The default is ${STDIO_DEFAULTS[name]}.`,
    );
  }
  return Object.freeze(limits);
}

function lowerCase(checks: OptionChecks, value: unknown, option: string, fix: string): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const names = checks.strings(value, option, fix);
  if (names.length === 0)
    checks.refuse(option, 'a list with at least one entry', value, `${fix} An empty list lets nobody in.`);
  return names.map((name) => name.toLowerCase());
}

function requireArray(checks: OptionChecks, value: unknown, option: string): readonly unknown[] {
  return Array.isArray(value)
    ? value
    : checks.refuse(option, 'an array of strings', value, 'Give one string for each argument.');
}

function requireWord(checks: OptionChecks, value: unknown, option: string): string {
  return typeof value === 'string' && !value.includes('\0')
    ? value
    : checks.refuse(option, 'a string without NUL', value, 'Give one string for each argument.');
}

function requireFunction<T>(checks: OptionChecks, value: T, option: string): T {
  return typeof value === 'function'
    ? value
    : checks.refuse(option, 'a function of the caller', value, 'Give a function, for example (auth) => ({ … }).');
}
