import { existsSync, readFileSync } from 'node:fs';
import { parseArguments, usageErrorFor } from './parse-arguments.js';
import { buildFileSchema } from './schema/json-schema.js';
import { readKeyDescriptions } from './schema/key-descriptions.js';

/** Lines of a configuration file which lead editors to the schema. */
export const SCHEMA_HINT = `# For an editor: npx express-mcp-auth schema > config.schema.json
# yaml-language-server: $schema=./config.schema.json`;

export const SCHEMA_USAGE = `Usage: express-mcp-auth schema > config.schema.json

Prints a JSON Schema of the configuration file, for editors. These lines at the top of the file lead an editor to it:
${SCHEMA_HINT}

  -h, --help  show this text`;

const OPTIONS = { help: { type: 'boolean', short: 'h' } } as const;

const usageError = usageErrorFor('express-mcp-auth schema --help');

/**
 * Runs `express-mcp-auth schema`.
 *
 * @param args The arguments after `schema`.
 * @param docs The folder of the documentation, which says what each key means. Without it, the schema has no descriptions.
 * @returns The text to print.
 * @throws {StartupError} If there is another argument.
 */
export function runSchemaCommand(args: readonly string[], docs: URL): string {
  const { values } = parseArguments({ args: [...args], options: OPTIONS }, usageError);
  if (values.help) return SCHEMA_USAGE;
  const read = (page: string) => {
    const file = new URL(page, docs);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  const descriptions = readKeyDescriptions(read('command.md'), read('options.md'));
  return JSON.stringify(
    buildFileSchema((key) => descriptions.get(key)),
    null,
    2,
  );
}
