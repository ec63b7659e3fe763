import { writeFileSync } from 'node:fs';
import { parseArguments, usageErrorFor } from './parse-arguments.js';
import { SCHEMA_HINT } from './schema-command.js';
import { StartupError } from './startup-error.js';

export const INIT_USAGE = `Usage: express-mcp-auth init [-f FILE]

Writes a first configuration file, which starts with --dev-issuer.

  -f, --file FILE  the file to write (default: config.yaml); a file that exists is left as it is
  -h, --help       show this text`;

/** A file with one program, and clients that log in. */
export const FIRST_FILE = `${SCHEMA_HINT}
# Start it with: npx express-mcp-auth -f config.yaml --host 127.0.0.1 --dev-issuer
# Without --dev-issuer, add the issuer of your tokens beside resourceMetadata.
mcp:
  port: 3000
  targets:
    - name: everything
      stdio:
        cmd: npx
        args: ["@modelcontextprotocol/server-everything"]
  policies:
    mcpAuthentication:
      resourceMetadata:
        resource: http://localhost:3000/mcp
`;

const OPTIONS = {
  file: { type: 'string', short: 'f', default: 'config.yaml' },
  help: { type: 'boolean', short: 'h' },
} as const;

const usageError = usageErrorFor('express-mcp-auth init --help');

/**
 * Runs `express-mcp-auth init`.
 *
 * @param args The arguments after `init`.
 * @returns The line to print.
 * @throws {StartupError} If the file exists or cannot be written.
 */
export function runInitCommand(args: readonly string[]): string {
  const { values } = parseArguments({ args: [...args], options: OPTIONS }, usageError);
  if (values.help) return INIT_USAGE;
  try {
    writeFileSync(values.file, FIRST_FILE, { flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EEXIST' ? 'the file exists, and is left as it is' : `it cannot be written (${code})`;
    throw new StartupError(`${values.file}: ${why}`, { cause: error });
  }
  return `${values.file} is written. Start it: npx express-mcp-auth -f ${values.file} --host 127.0.0.1 --dev-issuer`;
}
