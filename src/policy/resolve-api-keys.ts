import { resolve } from 'node:path';
import { fileFault, readRegularFile } from '../core/read-regular-file.js';
import { isRecord, jsonCopy } from '../http/json-object.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { isPlain, type OptionChecks } from '../options/checks.js';
import { isScopeList } from '../options/scope-list.js';
import { ANY_MAPPING, either, listOf, type Member, membersOf, TEXT, TEXTS } from '../options/value-type.js';
import type { ApiKey, ApiKeysOption } from './credential-options.js';
import { DERIVED_CLAIMS } from './derived-claims.js';

const ENTRY = {
  sha256: { type: TEXT, isRequired: true },
  subject: { type: TEXT, otherwise: 'none: the key counts as a separate user' },
  scopes: { type: TEXTS, default: [] },
  claims: { type: ANY_MAPPING, default: {} },
  expires: { type: TEXT, otherwise: 'never' },
} as const satisfies Readonly<Record<keyof ApiKey, Member>>;

const FILE = { file: { type: TEXT, isRequired: true } } as const;

/** API keys as a configuration file has them. */
export const API_KEYS_TYPE = either(listOf(membersOf('apiKeys entry', ENTRY)), membersOf('apiKeys', FILE));

type FindApiKey = Extract<ApiKeysOption, (...args: never[]) => unknown>;

/** A checked API key. */
export interface ResolvedApiKey {
  readonly subject: string | undefined;
  readonly scopes: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
  /** Seconds since 1970. */
  readonly expiresAt: number | undefined;
}

/** API keys by their SHA-256, in lower case. */
export type ApiKeyTable = ReadonlyMap<string, ResolvedApiKey>;

/** The source of the API keys. A file has been read. */
export type ApiKeySource =
  | { readonly kind: 'table'; readonly keys: ApiKeyTable; readonly file: string | undefined }
  | { readonly kind: 'function'; readonly find: FindApiKey };

const FIX =
  'Write [{ "sha256": "…", "subject": "…" }]: the command "express-mcp-auth key create" prints a key and its entry.';
const PLACE_FIX = `Write { file: "…" } for a JSON file with the list. ${FIX}`;

/** Reads the option `apiKeys`. It quotes nothing, since an entry may have the key itself where its hash is expected. */
export function resolveApiKeys(checks: OptionChecks, value: unknown, option: string): ApiKeySource | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'function') return { kind: 'function', find: value as FindApiKey };
  if (Array.isArray(value))
    return { kind: 'table', keys: requireKeys(checks, value, option, 'a list of API keys'), file: undefined };
  if (!isPlain(value) || value.file === undefined)
    return checks.refuseUnquoted(option, 'a list of keys, { file }, or a function', PLACE_FIX);
  checks.knownKeys(value, option, Object.keys(FILE));
  const file = resolve(
    checks.string(value.file, `${option}.file`, 'Give the path of a JSON file with a list of keys.'),
  );
  let text: string;
  try {
    text = readRegularFile(file);
  } catch (error) {
    const expected = `a readable file (${fileFault(error)}; looked for ${file})`;
    return checks.refuse(`${option}.file`, expected, value.file, 'Correct the path.');
  }
  return {
    kind: 'table',
    keys: requireKeys(checks, text, `${option}.file`, 'a JSON file with a list of API keys', `; read ${file}`),
    file,
  };
}

function requireKeys(checks: OptionChecks, given: unknown, option: string, expected: string, source = ''): ApiKeyTable {
  try {
    return parseApiKeys(given);
  } catch (error) {
    return checks.refuseUnquoted(option, `${expected} (${(error as Error).message}${source})`, FIX);
  }
}

/**
 * Parses a list of API keys.
 *
 * @param given The list, or its JSON text.
 * @throws {Error} With a message that says what is wrong, and quotes nothing.
 */
export function parseApiKeys(given: unknown): ApiKeyTable {
  const list = typeof given === 'string' ? parseJson(given) : given;
  if (!Array.isArray(list)) throw new Error('it is not a list');
  const keys = new Map<string, ResolvedApiKey>();
  for (const [i, entry] of list.entries()) {
    const fail = (reason: string): never => {
      throw new Error(`entry ${i}: ${reason}`);
    };
    if (!isRecord(entry)) return fail('it is not an object');
    const { sha256, ...known } = entry;
    if (typeof sha256 !== 'string' || !/^[0-9a-fA-F]{64}$/.test(sha256)) {
      return fail('its "sha256" is not 64 hexadecimal digits; the key itself must not be here');
    }
    const hash = lowerAscii(sha256);
    if (keys.has(hash)) return fail('its "sha256" is there twice');
    keys.set(hash, parseApiKey(known, fail));
  }
  return keys;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
}

const MEMBERS = Object.keys(ENTRY).filter((name) => name !== 'sha256');

/**
 * Checks what is known of one key. An unknown member is refused: a misspelt `expires` would never end a key.
 *
 * @param fail Throws an error with this reason.
 */
export function parseApiKey(known: Readonly<Record<string, unknown>>, fail: (reason: string) => never): ResolvedApiKey {
  const unknown = Object.keys(known).find((name) => !MEMBERS.includes(name));
  if (unknown !== undefined) {
    // Only a word is quoted: a list may have the keys themselves as names.
    const which = /^[A-Za-z]{1,20}$/.test(unknown) ? `its member "${unknown}"` : 'it has a member that';
    return fail(`${which} is not known; known are sha256, ${MEMBERS.join(', ')}`);
  }
  const { subject, scopes = [], claims = {}, expires } = known;
  if (subject !== undefined && (typeof subject !== 'string' || subject === '')) return fail('its "subject" is no text');
  if (!isScopeList(scopes)) return fail('its "scopes" are not a list of scopes');
  if (!isRecord(claims)) return fail('its "claims" are not an object');
  const reserved = DERIVED_CLAIMS.find((name) => Object.hasOwn(claims, name));
  if (reserved !== undefined) return fail(`its "claims" must not have "${reserved}"`);
  const expiresAt = expires === undefined ? undefined : parseDate(expires);
  if (Number.isNaN(expiresAt)) return fail('its "expires" is no date such as 2027-01-31 or 2027-01-31T12:00:00Z');
  return Object.freeze({ subject, scopes: [...scopes], claims: copyOf(claims, fail), expiresAt });
}

function copyOf(claims: Record<string, unknown>, fail: (reason: string) => never): Record<string, unknown> {
  try {
    return jsonCopy(claims);
  } catch {
    return fail('its "claims" are not JSON');
  }
}

/** RFC 3339, in UTC: a time without a zone means another moment on each machine. */
const DATE = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{1,3})?Z)?$/;

function parseDate(text: unknown): number {
  if (typeof text !== 'string' || !DATE.test(text)) return Number.NaN;
  const ms = Date.parse(text);
  // JavaScript reads 2027-02-31 as 2027-03-03, and the key would be good for three days more.
  const isInCalendar = !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text.slice(0, '2027-01-31'.length));
  return isInCalendar ? Math.floor(ms / 1_000) : Number.NaN;
}
