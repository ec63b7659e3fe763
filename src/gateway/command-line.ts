import { readFileSync } from 'node:fs';
import { fileFault, readRegularFile } from '../core/read-regular-file.js';
import type { DoctorOptions, DoctorTarget } from '../doctor/doctor.js';
import { isHttpUrl } from '../doctor/probe.js';
import type { ProcessConfig } from './config/process-settings.js';
import { doctorTargetsIn } from './doctor-targets.js';
import { IGNORE_OPTION, parseIgnored } from './ignore-option.js';
import { LOG_OPTIONS, type LogSettings, parseLogOptions } from './log-settings.js';
import { parseArguments, usageErrorFor, withoutTokens } from './parse-arguments.js';
import { PROCESS_OPTIONS, PROCESS_USAGE, parseProcessArguments } from './process-arguments.js';

export const USAGE = `Usage: express-mcp-auth -f FILE [--host ADDRESS] [--dev-issuer] [--validate-only [--online]]
       express-mcp-auth init [-f FILE]
       express-mcp-auth schema > config.schema.json
       express-mcp-auth doctor (URL | -f FILE) [--token FILE] [--json]
       express-mcp-auth rules test -f FILE --call FILE … [--as FILE]
       express-mcp-auth key create [--subject NAME] [--scopes "SCOPE …"] [--expires DATE]

Runs stdio and remote MCP servers behind OAuth, from a configuration file. The doctor checks a server as MCP clients
see it, and says what to change: see doctor --help. "rules test" says which rule decides on a call: see rules --help.
"key create" makes an API key: see key --help. "init" writes a first file;
"schema" prints a JSON Schema of the file, for editors.

  -f, --file FILE      the configuration file (YAML), read again when it changes, and at SIGHUP; relative file names in it
                       start at its folder
      --host ADDRESS   listen on this address only (default: 0.0.0.0, every IPv4 address of this machine;
                       with ::, every address of IPv6 and IPv4)
      --dev-issuer     for development: clients log in with one click, at an authorization server on this machine
                       (needs the package oidc-provider; --dev-issuer-port PORT, default 9000;
                       --dev-issuer-ttl SECONDS: the lifetime of its access tokens, default 3600).
                       Its keys are kept in .dev-issuer.json beside the configuration file: do not commit it
      --validate-only  check the file and the key sets it names, then exit
      --online         with --validate-only: check also the certificates and keys on this machine, and whether the
                       servers that the file names answer
      --log FORMAT     text (the default), or json: one object a line, with the request id and the route
      --log-level LEVEL  leave out the lines below debug, info (the default), warn or error
      --ignore NAMES   start without these parts of the file, such as llm,a2a; only parts that protect nothing
${PROCESS_USAGE}
  -h, --help           show this text
  -V, --version        show the version`;

export type Command = { readonly action: 'help' } | { readonly action: 'version' } | RunCommand;

export interface RunCommand {
  readonly action: 'run' | 'validate';
  readonly file: string;
  readonly host: string;
  /** True if a check also asks the servers that the file names. */
  readonly isOnline: boolean;
  /** The names given to `--ignore`. */
  readonly ignored: readonly string[];
  /** The log settings of the command line. */
  readonly logging: LogSettings;
  /** Undefined without `--dev-issuer`. */
  readonly devIssuer: DevIssuerArguments | undefined;
  /** The settings of the process on the command line. */
  readonly process: ProcessConfig;
}

/** The settings of the development issuer on the command line. */
export interface DevIssuerArguments {
  readonly port: number;
  readonly tokenSeconds: number;
}

const OPTIONS = {
  file: { type: 'string', short: 'f' },
  host: { type: 'string', default: '0.0.0.0' },
  'dev-issuer': { type: 'boolean' },
  'dev-issuer-port': { type: 'string' },
  'dev-issuer-ttl': { type: 'string' },
  'validate-only': { type: 'boolean' },
  online: { type: 'boolean', default: false },
  ...LOG_OPTIONS,
  ...IGNORE_OPTION,
  ...PROCESS_OPTIONS,
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'V' },
} as const;

const usageError = usageErrorFor('express-mcp-auth --help');

/** @throws {StartupError} If an argument is unknown, missing or wrong. */
export function parseCommandLine(args: readonly string[]): Command {
  const { values: options } = parseArguments({ args: [...args], options: OPTIONS }, usageError);
  const { help, version, file, host, online: isOnline } = options;
  if (help) return { action: 'help' };
  if (version) return { action: 'version' };
  if (!file) throw usageError('-f FILE is missing: express-mcp-auth init writes a first one');
  if (!host) throw usageError('--host is empty');
  if (/^[^:]+:\d+$/.test(host)) throw usageError('--host is an address without a port: the file has the ports');
  if (isOnline && !options['validate-only']) throw usageError('--online needs --validate-only');
  const { 'dev-issuer-port': port, 'dev-issuer-ttl': ttl } = options;
  if (!options['dev-issuer'] && (port ?? ttl) !== undefined) {
    throw usageError(`--dev-issuer-${port === undefined ? 'ttl' : 'port'} needs --dev-issuer`);
  }
  const devIssuer = options['dev-issuer']
    ? {
        port: parseNumber(port ?? '9000', [0, 65_535], '--dev-issuer-port must be a port number from 0 to 65535'),
        tokenSeconds: parseNumber(ttl ?? '3600', TTL_RANGE, TTL_PROBLEM),
      }
    : undefined;
  const ignored = parseIgnored(options);
  const settings = parseProcessArguments(options, usageError);
  const logging = parseLogOptions(options, usageError);
  const action = options['validate-only'] ? 'validate' : 'run';
  return { action, file, host, isOnline, ignored, logging, devIssuer, process: settings };
}

/** Refresh tokens last one day; an access token must not outlast them. */
const TTL_RANGE = [1, 86_400] as const;
const TTL_PROBLEM = '--dev-issuer-ttl must be a number of seconds from 1 to 86400';

function parseNumber(text: string, [min, max]: readonly [number, number], problem: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= min && number <= max)) throw usageError(problem);
  return number;
}

export const DOCTOR_USAGE = `Usage: express-mcp-auth doctor URL [--token FILE] [--json]
       express-mcp-auth doctor -f FILE [--ignore NAMES] [--token FILE] [--json]

Checks every step of an MCP client's login, from the first 401 to the authorization server, and says what to change.
Exits with code 1 if it finds a fault (✗).

  URL                  the address of the MCP server, as clients are given it
  -f, --file FILE      check each server of this configuration file, at its resource
      --ignore NAMES   the parts of the file that the command leaves out
      --token FILE     a file with a token to send, and to explain claim by claim; - reads it from standard input;
                       only with a single server, since no other server may see the token
      --json           print the findings as JSON
  -h, --help           show this text`;

const DOCTOR_OPTIONS = {
  file: { type: 'string', short: 'f' },
  ...IGNORE_OPTION,
  token: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h' },
} as const;

const doctorUsageError = usageErrorFor('express-mcp-auth doctor --help');

/**
 * Parses the command line of the doctor.
 *
 * @param args The arguments after `doctor`.
 * @returns Undefined if the user asks for help.
 */
export function parseDoctorLine(args: readonly string[]): DoctorOptions | undefined {
  const config = { args: [...args], options: DOCTOR_OPTIONS, allowPositionals: true } as const;
  const { values, positionals } = parseArguments(config, doctorUsageError);
  if (values.help) return undefined;
  const [url, ...more] = positionals;
  if (more.length > 0 || (url === undefined) === (values.file === undefined)) {
    throw doctorUsageError('give either a URL or -f FILE');
  }
  if (url !== undefined && values.ignore !== undefined) throw doctorUsageError('--ignore needs -f FILE');
  const settings = { hasToken: values.token !== undefined, ignored: parseIgnored(values) };
  const targets = url === undefined ? doctorTargetsIn(values.file as string, settings) : [{ url: requireUrl(url) }];
  const token = values.token === undefined ? undefined : readTokenArgument(values.token, targets);
  return { targets: targets.map((target) => ({ ...target, token })), json: values.json };
}

function readTokenArgument(file: string, targets: readonly DoctorTarget[]): string {
  const resources = [...new Set(targets.map(({ url }) => url))];
  // A token must not be sent to a resource other than its own (MCP specification, authorization).
  if (resources.length > 1) {
    const several = `--token is for one server, but the file has ${resources.length} (${resources.join(', ')})`;
    throw doctorUsageError(`${several}: give the URL of the token's server instead of -f`);
  }
  return readTokenFile(file)
    .trim()
    .replace(/^bearer\s+/i, '');
}

/** The message does not repeat the file's name: the user may have given the token itself. */
function readTokenFile(file: string): string {
  try {
    // 0 is standard input.
    return file === '-' ? readFileSync(0, 'utf8') : readRegularFile(file);
  } catch (error) {
    const expected = 'give a FILE that contains the token, or - for standard input, not the token itself';
    throw doctorUsageError(`--token: the file does not exist or cannot be read (${fileFault(error)}): ${expected}`, {
      cause: error,
    });
  }
}

function requireUrl(text: string): string {
  // The text before "@" may be a password.
  const given = text.includes('@') ? 'the address' : withoutTokens(JSON.stringify(text));
  if (!isHttpUrl(text)) throw doctorUsageError(`${given} is not an http(s) URL`);
  const { username, password } = new URL(text);
  if (username === '' && password === '') return text;
  throw doctorUsageError('the URL has a user name or a password, which MCP clients do not send: give it without them');
}
