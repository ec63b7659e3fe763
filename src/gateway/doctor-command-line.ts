import { dirname } from 'node:path';
import type { DoctorOptions, Patient } from '../doctor/doctor.js';
import { isHttpUrl } from '../doctor/probe.js';
import type { McpAuthOptions } from '../index.js';
import { resolveAuth } from '../policy/resolve-auth.js';
import { parseArguments, usageErrorFor } from './command-line.js';
import { authenticationsOf, type McpAuthenticationConfig, parseConfigFile } from './config/config-file.js';
import { atPlace, readInputFile, StartupError } from './startup-error.js';

export const DOCTOR_USAGE = `Usage: express-mcp-auth doctor URL [--token FILE] [--json]
       express-mcp-auth doctor -f FILE [--token FILE] [--json]

Walks the way an MCP client walks, from the first 401 to the authorization server, and says what it stumbles over.
Ends with code 1 where clients cannot log in.

  URL                  the address of the MCP server, as clients are given it
  -f, --file FILE      look at each server of this configuration file, under its resource
      --token FILE     a token to send, and to explain claim by claim; not where the file has several servers
      --json           for machines
  -h, --help           show this text`;

const OPTIONS = {
  file: { type: 'string', short: 'f' },
  token: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h' },
} as const;

const usageError = usageErrorFor('express-mcp-auth doctor --help');

/** @param args What stands after `doctor`. Undefined where help is asked for. */
export function parseDoctorLine(args: readonly string[]): DoctorOptions | undefined {
  const config = { args: [...args], options: OPTIONS, allowPositionals: true } as const;
  const { values, positionals } = parseArguments(config, usageError);
  if (values.help) return undefined;
  const [url, ...more] = positionals;
  if (more.length > 0 || (url === undefined) === (values.file === undefined)) {
    throw usageError('name either a URL or -f FILE');
  }
  const patients = url === undefined ? patientsIn(values.file as string) : [{ url: requireUrl(url) }];
  const token = values.token === undefined ? undefined : readToken(values.token, patients);
  return { patients: patients.map((patient) => ({ ...patient, token })), json: values.json };
}

function readToken(file: string, patients: readonly Patient[]): string {
  const resources = [...new Set(patients.map(({ url }) => url))];
  // A token must not be sent to another resource than the one that it was made for (MCP specification, authorization).
  if (resources.length > 1) {
    const several = `--token is for one server, but the file has ${resources.length} (${resources.join(', ')})`;
    throw usageError(`${several}: name the server of the token by its URL, in the place of -f`);
  }
  return readInputFile(file)
    .trim()
    .replace(/^bearer\s+/i, '');
}

function requireUrl(text: string): string {
  if (isHttpUrl(text)) return text;
  throw usageError(`${JSON.stringify(text)} is not the http(s) address of a server`);
}

/** Each route with a resource, and its policy as the gateway would have it. */
function patientsIn(file: string): Patient[] {
  const text = readInputFile(file);
  const patients = atPlace(file, () => authenticationsOf(parseConfigFile(text, dirname(file))).flatMap(patientsOf));
  if (patients.length > 0) return patients;
  throw new StartupError(`${file}: no route has mcpAuthentication.resourceMetadata.resource, the address to look at`);
}

function patientsOf({ policy, at: place }: McpAuthenticationConfig): Patient[] {
  const resolved = atPlace(place, () => resolveAuth('mcpAuth()', policy as unknown as McpAuthOptions));
  return resolved.resource === undefined ? [] : [{ url: resolved.resource.href, policy: resolved }];
}
