import type { AuthInfo } from '../core/auth-info.js';
import { isPromiseLike, settleInTime } from '../core/settle-in-time.js';
import { trimOws } from '../http/ows.js';
import type { OptionChecks } from '../options/checks.js';
import { requireEnvironment, requirePlainObject } from '../options/environment.js';
import { flag, type OptionTable, optional, type ResolvedOptions } from '../options/option-table.js';
import { ANY_TEXT, constant, either, listOf, recordOf, TEXT, TEXTS } from '../options/value-type.js';
import type { ChildVariables } from '../targets/stdio/deferred-child.js';
import { isCommandLine } from '../targets/stdio/is-command-line.js';
import { ownProgram } from '../targets/stdio/own-program.js';
import type { Program } from '../targets/stdio/windows-program.js';
import { limit } from './backend-options.js';

/** The options of an MCP server that is started as a child process. */
export interface ChildOptions {
  /**
   * The program that speaks MCP on its standard input and output. It is started without a shell, and ended with its process group.
   * Processes that leave that group (setsid, daemons) are ended too on Linux, as long as the process that started them lives;
   * elsewhere, after a crash of the program and after a SIGKILL of this process, they continue to run.
   */
  readonly command: string;
  /** Its arguments, one each; no shell reads them. @default [] */
  readonly args?: readonly string[] | undefined;
  /**
   * Environment variables of the child, in addition to those it inherits; or a function that takes the caller (`undefined`: anonymous)
   * and returns them or a promise of them, called once for each child. The token itself is passed on only if this function does so. If
   * it throws or returns anything else, the request fails. If its promise is rejected or takes longer than 10 seconds, the request
   * gets 503. @default {}
   */
  readonly env?:
    | Readonly<Record<string, string>>
    | ((auth: AuthInfo | undefined) => Readonly<Record<string, string>> | PromiseLike<Readonly<Record<string, string>>>)
    | undefined;
  /** The child's working directory. @default that of this process */
  readonly cwd?: string | undefined;
  /**
   * Names of environment variables that the child inherits from this process, in addition to HOME, LANG, LC_ALL, LOGNAME, PATH,
   * SHELL, TERM, TMPDIR, TZ and USER. `true`: all variables, secrets included. @default []
   */
  readonly inheritEnv?: true | readonly string[] | undefined;
  /**
   * `true`: the child also inherits the variables that `npx`, `uvx` and programs need behind a company's proxy: HTTP_PROXY, HTTPS_PROXY,
   * NO_PROXY and their lower-case forms, SSL_CERT_FILE, SSL_CERT_DIR, NODE_EXTRA_CA_CERTS, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE,
   * npm_config_registry, UV_DEFAULT_INDEX and PIP_INDEX_URL. One whose URL has a user name or a password is left out, with a warning:
   * name it in `inheritEnv` to pass it on. `false`: none of them. Cannot be combined with `inheritEnv: true`. @default true
   */
  readonly inheritNetworkEnv?: boolean | undefined;
  /**
   * The number of children that are started ahead. Behind an `mcpAuth()`, anonymous callers get a quarter of them. Cannot be combined
   * with an `env` that is a function. @default 0
   */
  readonly warmChildren?: number | undefined;
}

export const CHILD_TABLE = {
  command: { type: TEXT, read: requireCommand },
  args: { default: [], type: listOf(ANY_TEXT), read: requireArguments },
  env: { default: {}, type: recordOf(ANY_TEXT), read: resolveEnv },
  cwd: { type: TEXT, read: optional((checks, value, option) => checks.string(value, option, 'Name a directory.')) },
  inheritEnv: { default: [], type: either(TEXTS, constant(true)), read: resolveInheritEnv },
  inheritNetworkEnv: flag(true),
  warmChildren: limit(0, 0),
} satisfies OptionTable<ChildOptions>;

export type ChildValues = ResolvedOptions<typeof CHILD_TABLE>;

export interface ResolvedChild extends ChildValues {
  /** The program that this machine starts for `command` and `args`. */
  readonly program: Program;
}

/**
 * Refuses options of a child that do not fit together, and a program that this machine cannot start.
 *
 * @param path The option whose members they are, with a dot; empty for the argument itself.
 */
export function requireChild<Values extends ChildValues>(
  checks: OptionChecks,
  resolved: Values,
  env: unknown,
  path = '',
): Values & ResolvedChild {
  if (resolved.warmChildren > 0 && typeof env === 'function') {
    const fix = 'A child started ahead has no caller: remove warmChildren, or use a fixed env.';
    checks.refuse(`${path}warmChildren`, '0 where env is a function', resolved.warmChildren, fix);
  }
  if (resolved.inheritEnv === true && !resolved.inheritNetworkEnv) {
    const fix = 'inheritEnv passes all variables: list the names that the program needs instead.';
    checks.refuse(`${path}inheritNetworkEnv`, 'true where inheritEnv is true', false, fix);
  }
  refuseCommandLine(checks, resolved, env, path);
  const { command, args, cwd } = resolved;
  const program = ownProgram({ command, args }, cwd, pathIn(env)) ?? refuseBatchFile(checks, command, path);
  return { ...resolved, program };
}

/** Returns the PATH in the option `env`. Undefined if it has none, or is a function. */
export function pathIn(env: unknown): string | undefined {
  return (env as { PATH?: string } | undefined)?.PATH;
}

function refuseBatchFile(checks: OptionChecks, command: string, path: string): never {
  const fix =
    'Only a shell runs .cmd and .bat files, and npm needs its files beside Node. Start the JavaScript file that it runs: { command: "node", args: ["C:\\…\\cli.js"] }.';
  return checks.refuse(`${path}command`, 'a program that Windows starts without a shell', command, fix);
}

/** A value that depends on the caller. */
export type FromCaller<T> = (auth: AuthInfo | undefined) => T;

function resolveEnv(
  checks: OptionChecks,
  env: unknown,
  option: string,
): FromCaller<ChildVariables | Promise<ChildVariables>> {
  if (typeof env === 'function') {
    const check = (made: unknown) => requireEnvironment(checks, requirePlainObject(checks, made, 'env()'), 'env()');
    return (auth) => {
      const made: unknown = env(auth);
      return isPromiseLike(made) ? settleInTime('env()', made).then(check) : check(made);
    };
  }
  if (env instanceof Promise) requirePlainObject(checks, env, option);
  const fixed = Object.freeze({ ...requireEnvironment(checks, env, option) });
  return () => fixed;
}

function resolveInheritEnv(checks: OptionChecks, value: unknown, option: string): true | readonly string[] {
  const fix = 'Name the variables to pass on, or use true for all of them.';
  return value === true || checks.strings(value, option, fix);
}

function requireCommand(checks: OptionChecks, value: unknown, option: string): string {
  return requireWord(checks, checks.string(value, option, 'Name the program to start.'), option);
}

/** Refuses a command line. The message does not quote the arguments: there may be secrets among them. */
function refuseCommandLine(
  checks: OptionChecks,
  { command, cwd }: Pick<ChildValues, 'command' | 'cwd'>,
  env: unknown,
  prefix: string,
): void {
  if (!isCommandLine(command, cwd, pathIn(env))) return;
  const [program = ''] = trimOws(command).split(' ');
  const fix = `Put the arguments into args: { command: ${JSON.stringify(program)}, args: ["…"] }.`;
  checks.refuse(`${prefix}command`, 'the program alone, without its arguments', `${program} …`, fix);
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
