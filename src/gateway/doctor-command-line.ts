import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import type { Patient } from '../doctor/doctor.js';
import type { DoctorOptions } from '../doctor/doctor-command.js';
import { parseConfigFile } from './config-file.js';
import { StartupError } from './startup-error.js';

export const DOCTOR_USAGE = `Usage: express-mcp-auth doctor URL [--token FILE] [--json]
       express-mcp-auth doctor -f FILE [--token FILE] [--json]

Walks the way an MCP client walks, from the first 401 to the authorization server, and says what it stumbles over.
Ends with code 1 where clients cannot log in.

  URL                  the address of the MCP server, as clients are given it
  -f, --file FILE      look at each server of this configuration file, under its resource
      --token FILE     a token to send, and to explain claim by claim
      --json           for machines
  -h, --help           show this text`;

const OPTIONS = {
  file: { type: 'string', short: 'f' },
  token: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h' },
} as const;

/** @param args What stands after `doctor`. Undefined where help is asked for. */
export function parseDoctorLine(args: readonly string[]): DoctorOptions | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  const [url, ...more] = positionals;
  if (more.length > 0 || (url === undefined) === (values.file === undefined)) {
    throw usageError('name either a URL or -f FILE');
  }
  const patients = url === undefined ? patientsIn(values.file as string) : [{ url: requireUrl(url) }];
  const token =
    values.token === undefined
      ? undefined
      : readFile(values.token)
          .trim()
          .replace(/^bearer\s+/i, '');
  return { patients: patients.map((patient) => ({ ...patient, token })), json: values.json };
}

function readFile(name: string): string {
  try {
    return readFileSync(name, 'utf8');
  } catch (error) {
    throw new StartupError(`${name}: it cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: true });
  } catch (error) {
    throw usageError((error as Error).message.split('. ')[0] ?? '', { cause: error });
  }
}

function requireUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw usageError(`${JSON.stringify(text)} is not the http(s) address of a server`);
}

/** Each route with a resource: what its policy accepts is known, whatever its metadata says. */
function patientsIn(file: string): Patient[] {
  const { binds } = parseConfigFile(readFile(file), dirname(file));
  const patients = binds
    .flatMap(({ routes }) => routes)
    .flatMap(({ mcpAuthentication }) => {
      const { resourceMetadata, issuer, issuers, audiences } = (mcpAuthentication?.policy ?? {}) as AcceptedByPolicy;
      const url = resourceMetadata?.resource;
      if (url === undefined) return [];
      const trusted = issuers ?? [{ issuer, audiences }];
      const accepts = {
        issuers: trusted.flatMap((one) => one.issuer ?? []),
        audiences: trusted.flatMap((one) => one.audiences ?? [url]),
      };
      return [{ url, accepts }];
    });
  if (patients.length > 0) return patients;
  throw new StartupError(`${file}: no route has mcpAuthentication.resourceMetadata.resource, the address to look at`);
}

interface Issuer {
  readonly issuer?: string;
  readonly audiences?: readonly string[];
}

type AcceptedByPolicy = Issuer & {
  readonly issuers?: readonly Issuer[];
  readonly resourceMetadata?: { readonly resource?: string };
};

function usageError(problem: string, options?: ErrorOptions): StartupError {
  return new StartupError(`${problem}. See express-mcp-auth doctor --help.`, options);
}
