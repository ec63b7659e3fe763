import { createApiKey } from '../oauth/api-key.js';
import type { ApiKey } from '../policy/credential-options.js';
import { parseApiKey } from '../policy/resolve-api-keys.js';
import { parseArguments, usageErrorFor } from './parse-arguments.js';

export const KEY_USAGE = `Usage: express-mcp-auth key create [--subject NAME] [--scopes "SCOPE …"] [--expires DATE]

Makes an API key. Prints the key, and on the next line the entry for apiKeys, which has only its hash.

      --subject NAME   the user that the key stands for (default: none, a user of its own)
      --scopes SCOPES  the scopes of the key, with spaces or commas between them (default: none)
      --expires DATE   the date from which the key is refused, such as 2027-01-31 or 2027-01-31T12:00:00Z (default: never)
  -h, --help           show this text`;

const OPTIONS = {
  subject: { type: 'string' },
  scopes: { type: 'string' },
  expires: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

const usageError = usageErrorFor('express-mcp-auth key --help');

/** A new API key, and its entry for the option `apiKeys`. */
export interface CreatedKey {
  readonly key: string;
  readonly entry: ApiKey;
}

/**
 * Runs `express-mcp-auth key create`.
 *
 * @param args The arguments after `key`.
 * @returns Undefined if the user asks for help.
 * @throws {StartupError}
 */
export function runKeyCommand(args: readonly string[]): CreatedKey | undefined {
  const { values, positionals } = parseArguments(
    { args: [...args], options: OPTIONS, allowPositionals: true },
    usageError,
  );
  if (values.help) return undefined;
  if (positionals[0] !== 'create') throw usageError('the only command for keys is "create"');
  if (positionals.length > 1)
    throw usageError('unexpected argument: use --subject NAME, or quote several scopes, "a b"');
  const { subject, expires } = values;
  const scopes = values.scopes?.split(/[ ,]+/).filter((scope) => scope !== '');
  const known = {
    ...(subject === undefined ? {} : { subject }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(expires === undefined ? {} : { expires }),
  };
  const { expiresAt } = parseApiKey(known, (reason) => {
    throw usageError(`no key was made: ${reason}`);
  });
  if (expiresAt !== undefined && expiresAt * 1_000 <= Date.now()) throw usageError('--expires is in the past');
  const { key, sha256 } = createApiKey();
  return { key, entry: { sha256, ...known } };
}
