import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { fileFault, readRegularFile } from '../core/read-regular-file.js';
import type { DoctorOptions, DoctorTarget } from '../doctor/doctor.js';
import { isHttpUrl } from '../doctor/probe.js';
import type { McpAuthOptions } from '../index.js';
import { resolveAuth } from '../policy/resolve-auth.js';
import { authenticationsOf, type McpAuthenticationConfig, parseConfigFile } from './config/config-file.js';
import { atPlace, readInputFile, StartupError } from './startup-error.js';

export const USAGE = `Usage: express-mcp-auth -f FILE [--host ADDRESS] [--dev-issuer] [--validate-only]
       express-mcp-auth doctor (URL | -f FILE) [--token FILE] [--json]

Puts stdio and remote MCP servers behind OAuth, as agentgateway's configuration file says. The doctor looks at a
server as clients do, and says what they stumble over: see doctor --help.

  -f, --file FILE      the configuration file (YAML); relative names in it are relative to it
      --host ADDRESS   listen on this address only (default: 0.0.0.0, every address of this machine)
      --dev-issuer     for development: clients log in, with one click, at an issuer on this machine
                       (needs the package oidc-provider; --dev-issuer-port PORT, default 9000;
                       --dev-issuer-ttl SECONDS: how long its access tokens are good, default 3600).
                       Its keys are kept in .dev-issuer.json beside the configuration file: do not commit it
      --validate-only  check the file and the keys it names, then exit
  -h, --help           show this text
  -V, --version        show the version`;

export type Command = { readonly action: 'help' } | { readonly action: 'version' } | RunCommand;

export interface RunCommand {
  readonly action: 'run' | 'validate';
  readonly file: string;
  readonly host: string;
  /** Undefined where the issuers of the file are all there are. */
  readonly devIssuer: DevIssuerArguments | undefined;
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
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'V' },
} as const;

const usageError = usageErrorFor('express-mcp-auth --help');

export function parseCommandLine(args: readonly string[]): Command {
  const { values: options } = parseArguments({ args: [...args], options: OPTIONS }, usageError);
  const { help, version, file, host } = options;
  if (help) return { action: 'help' };
  if (version) return { action: 'version' };
  if (!file) throw usageError('-f FILE is missing');
  if (!host) throw usageError('--host is empty');
  const { 'dev-issuer-port': port, 'dev-issuer-ttl': ttl } = options;
  if (!options['dev-issuer'] && (port ?? ttl) !== undefined) {
    throw usageError(`--dev-issuer-${port === undefined ? 'ttl' : 'port'} needs --dev-issuer`);
  }
  const devIssuer = options['dev-issuer']
    ? {
        port: parseNumber(port ?? '9000', [0, 65_535], '--dev-issuer-port is not a port'),
        tokenSeconds: parseNumber(ttl ?? '3600', TTL_RANGE, TTL_PROBLEM),
      }
    : undefined;
  return { action: options['validate-only'] ? 'validate' : 'run', file, host, devIssuer };
}

/** A day is how long refresh tokens are good. */
const TTL_RANGE = [1, 86_400] as const;
const TTL_PROBLEM = '--dev-issuer-ttl is not a number of seconds from 1 to 86400';

function parseNumber(text: string, [least, most]: readonly [number, number], problem: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most)) throw usageError(problem);
  return number;
}

export const DOCTOR_USAGE = `Usage: express-mcp-auth doctor URL [--token FILE] [--json]
       express-mcp-auth doctor -f FILE [--token FILE] [--json]

Walks the way an MCP client walks, from the first 401 to the authorization server, and says what it stumbles over.
Ends with code 1 where clients cannot log in.

  URL                  the address of the MCP server, as clients are given it
  -f, --file FILE      look at each server of this configuration file, under its resource
      --token FILE     a file with a token to send, and to explain claim by claim; - reads it from standard input;
                       not where the file has several servers
      --json           for machines
  -h, --help           show this text`;

const DOCTOR_OPTIONS = {
  file: { type: 'string', short: 'f' },
  token: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h' },
} as const;

const doctorUsageError = usageErrorFor('express-mcp-auth doctor --help');

/** @param args What stands after `doctor`. Undefined where help is asked for. */
export function parseDoctorLine(args: readonly string[]): DoctorOptions | undefined {
  const config = { args: [...args], options: DOCTOR_OPTIONS, allowPositionals: true } as const;
  const { values, positionals } = parseArguments(config, doctorUsageError);
  if (values.help) return undefined;
  const [url, ...more] = positionals;
  if (more.length > 0 || (url === undefined) === (values.file === undefined)) {
    throw doctorUsageError('name either a URL or -f FILE');
  }
  const targets = url === undefined ? targetsIn(values.file as string) : [{ url: requireUrl(url) }];
  const token = values.token === undefined ? undefined : readToken(values.token, targets);
  return { targets: targets.map((target) => ({ ...target, token })), json: values.json };
}

function readToken(file: string, targets: readonly DoctorTarget[]): string {
  const resources = [...new Set(targets.map(({ url }) => url))];
  // A token must not be sent to another resource than the one that it was made for (MCP specification, authorization).
  if (resources.length > 1) {
    const several = `--token is for one server, but the file has ${resources.length} (${resources.join(', ')})`;
    throw doctorUsageError(`${several}: name the server of the token by its URL, in the place of -f`);
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
    const expected = 'name a FILE that holds the token, or - for standard input, and not the token itself';
    throw doctorUsageError(`--token: there is no such file, or it cannot be read (${fileFault(error)}): ${expected}`, {
      cause: error,
    });
  }
}

function requireUrl(text: string): string {
  if (isHttpUrl(text)) return text;
  const given = withoutTokens(JSON.stringify(text));
  throw doctorUsageError(`${given} is not the http(s) address of a server`);
}

/** An argument in a wrong place may be a token, which must not come onto a screen or into a log. */
function withoutTokens(text: string): string {
  return text.replace(/[\w.~+/=-]{32,}/g, '…');
}

/** Each route with a resource, and its policy as the gateway would have it. */
function targetsIn(file: string): DoctorTarget[] {
  const text = readInputFile(file);
  const targets = atPlace(file, () => authenticationsOf(parseConfigFile(text, dirname(file))).flatMap(targetsOf));
  if (targets.length > 0) return targets;
  throw new StartupError(`${file}: no route has mcpAuthentication.resourceMetadata.resource, the address to look at`);
}

function targetsOf({ policy, at: place }: McpAuthenticationConfig): DoctorTarget[] {
  const resolved = atPlace(place, () => resolveAuth('mcpAuth()', policy as unknown as McpAuthOptions));
  return resolved.resource === undefined ? [] : [{ url: resolved.resource.href, policy: resolved }];
}

/**
 * How a command says what is wrong with its arguments.
 *
 * @param help What to call for the whole text.
 */
function usageErrorFor(help: string) {
  return (problem: string, options?: ErrorOptions) => new StartupError(`${problem}. See ${help}.`, options);
}

/** @throws {StartupError} */
function parseArguments<const T extends ParseArgsConfig>(
  config: T,
  usageError: ReturnType<typeof usageErrorFor>,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    // parseArgs explains at length after its first sentence; ours is the shorter way on.
    throw usageError(withoutTokens((error as Error).message.split('. ')[0] ?? ''), { cause: error });
  }
}
