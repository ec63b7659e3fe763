import { type ParseArgsConfig, parseArgs } from 'node:util';
import { StartupError } from './startup-error.js';

export const USAGE = `Usage: express-mcp-auth -f FILE [--host ADDRESS] [--dev-issuer] [--validate-only]
       express-mcp-auth doctor (URL | -f FILE) [--token FILE] [--json]

Puts stdio MCP servers on the web, behind OAuth, as agentgateway's configuration file says. The doctor looks at a
server as clients do, and says what they stumble over: see doctor --help.

  -f, --file FILE      the configuration file (YAML); relative names in it are relative to it
      --host ADDRESS   listen on this address only (default: 0.0.0.0, every address of this machine)
      --dev-issuer     for development: clients log in, with one click, at an issuer on this machine
                       (needs the package oidc-provider; --dev-issuer-port PORT, default 9000)
      --validate-only  check the file and the keys it names, then exit
  -h, --help           show this text
  -V, --version        show the version`;

export type Command = { readonly action: 'help' } | { readonly action: 'version' } | RunCommand;

export interface RunCommand {
  readonly action: 'run' | 'validate';
  readonly file: string;
  readonly host: string;
  /** Undefined where the issuers of the file are all there are. */
  readonly devIssuerPort: number | undefined;
}

const OPTIONS = {
  file: { type: 'string', short: 'f' },
  host: { type: 'string', default: '0.0.0.0' },
  'dev-issuer': { type: 'boolean' },
  'dev-issuer-port': { type: 'string', default: '9000' },
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
  const devIssuerPort = options['dev-issuer'] ? parsePort(options['dev-issuer-port']) : undefined;
  return { action: options['validate-only'] ? 'validate' : 'run', file, host, devIssuerPort };
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw usageError('--dev-issuer-port is not a port');
  return port;
}

/**
 * How a command says what is wrong with its arguments.
 *
 * @param help What to call for the whole text.
 */
export function usageErrorFor(help: string) {
  return (problem: string, options?: ErrorOptions) => new StartupError(`${problem}. See ${help}.`, options);
}

/** @throws {StartupError} */
export function parseArguments<const T extends ParseArgsConfig>(
  config: T,
  usageError: ReturnType<typeof usageErrorFor>,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    // parseArgs explains at length after its first sentence; ours is the shorter way on.
    throw usageError((error as Error).message.split('. ')[0] ?? '', { cause: error });
  }
}
