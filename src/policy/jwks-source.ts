import { resolve } from 'node:path';
import { ignoreRejection } from '../core/ignore-rejection.js';
import { fileFault, readRegularFile } from '../core/read-regular-file.js';
import { canParseUrl } from '../http/can-parse-url.js';
import { isRecord } from '../http/json-object.js';
import { asError } from '../http/middleware.js';
import type { OptionChecks } from '../options/checks.js';
import { ANY, either, listOf, membersOf, TEXT, type ValueType } from '../options/value-type.js';
import { type Provider, wellKnownJwksUrl } from '../providers/provider.js';
import type { KeySetSearch } from '../upstream/find-key-set.js';
import type { Jwks } from './issuer-options.js';
import { TENANT_ID } from './issuer-tenants.js';
import { requireServerUrl } from './server-url.js';

/** The source of an issuer's keys. A file has been read, and a function has been called once and returned a key set. */
export type JwksSource =
  | { readonly kind: 'file'; readonly file: string; readonly jwks: Jwks }
  | { readonly kind: 'inline'; readonly jwks: Jwks }
  | { readonly kind: 'live'; readonly read: () => Jwks }
  /** `isDerived`: the policy has no `jwks`, so the URL follows from the provider's rule and may be wrong. */
  | { readonly kind: 'url'; readonly url: URL; readonly isDerived: boolean }
  /** The policy has no `jwks`, and the issuer's metadata names the URL. */
  | { readonly kind: 'discovered'; readonly search: KeySetSearch };

const KINDS = ['file', 'url', 'keys'] as const;

const KIND_TYPES = { file: TEXT, url: TEXT, keys: listOf(ANY) } as const satisfies Record<
  (typeof KINDS)[number],
  ValueType
>;

/** A key set as a configuration file has it. */
export const JWKS_TYPE = either(
  membersOf('jwks', Object.fromEntries(KINDS.map((kind) => [kind, { type: KIND_TYPES[kind] }]))),
  TEXT,
);

const FIX = 'Give one of { file }, { url }, { keys: […] }, a function, or the key set as JSON text.';

/**
 * Checks the option `jwks`, and reads its file.
 *
 * @throws {ConfigError} If it does not name exactly one key set, or the key set cannot be read.
 */
export function resolveJwksSource(checks: OptionChecks, jwks: unknown, option: string, allowHttp: boolean): JwksSource {
  if (typeof jwks === 'string') {
    refuseUrlAsText(checks, jwks, option);
    return { kind: 'inline', jwks: requireJwks(checks, jwks, option) };
  }
  if (typeof jwks === 'function') return requireLiveKeys(checks, jwks as () => Jwks, option);
  const given = checks.record(jwks, option, FIX);
  checks.knownKeys(given, option, KINDS);
  const kinds = KINDS.filter((kind) => given[kind] !== undefined);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    return checks.refuse(option, 'exactly one kind of key set', kinds, FIX);
  }
  if (kind === 'file') return resolveKeyFile(checks, given.file, `${option}.file`);
  if (kind === 'url')
    return { kind, url: requireServerUrl(checks, given.url, `${option}.url`, allowHttp), isDerived: false };
  return { kind: 'inline', jwks: requireJwks(checks, given, option) };
}

/** A host name with a dot, or localhost, and perhaps a port and a path. */
const HOST_NAME = /^(?:localhost|[\w-]+(?:\.[\w-]+)+)(?::\d+)?(?:\/.*)?$/i;

/**
 * Derives the source of an issuer's keys: the URL of its provider, or the metadata of the issuer.
 *
 * @param path The path of the issuer's options: empty, or `issuers[1].`, for example.
 * @throws {ConfigError} If the issuer is not an http(s) URL, or is on plain http where that is not allowed.
 */
export function deriveJwksSource(
  checks: OptionChecks,
  path: string,
  { issuer, provider, allowHttp }: { issuer: string; provider: Provider; allowHttp: boolean },
): JwksSource {
  if (!canParseUrl(issuer) || !/^https?:$/.test(new URL(issuer).protocol)) {
    const expected = 'given, since a key set is derived only from an issuer that is an http(s) URL';
    const fix = HOST_NAME.test(issuer) ? `Did you forget https:// in ${path}issuer? ${FIX}` : FIX;
    return checks.refuse(`${path}jwks`, expected, undefined, fix);
  }
  if (issuer.includes(TENANT_ID) && provider.jwksUrl === undefined) {
    checks.refuse(
      `${path}jwks`,
      `given where the issuer has ${TENANT_ID}, unless it is one of Entra ID`,
      undefined,
      FIX,
    );
  }
  // Checked first, so that the message names `issuer`, which the user wrote, and not the derived URL.
  requireServerUrl(checks, issuer, `${path}issuer`, allowHttp);
  const requireKeyUrl = (url: string) => requireServerUrl(checks, url, `${path}jwks`, allowHttp);
  if (provider.jwksUrl !== undefined) {
    return { kind: 'url', url: requireKeyUrl(provider.jwksUrl(issuer)), isDerived: true };
  }
  const metadataUrls = [...new Set(provider.metadataUrls(issuer))].map((url) => new URL(url));
  return {
    kind: 'discovered',
    search: { issuer, metadataUrls, fallback: requireKeyUrl(wellKnownJwksUrl(issuer)), allowHttp },
  };
}

function refuseUrlAsText(checks: OptionChecks, text: string, option: string): void {
  if (!/^https?:\/\//i.test(text)) return;
  const expected = 'an object with the URL in it: text is read as a key set';
  const fix = 'Write { url: "https://…" }.';
  // Not quoted if it may contain a password (before an @) or a key (in a query).
  if (/[@?]/.test(text)) checks.refuseUnquoted(option, expected, fix);
  checks.refuse(option, expected, text, fix);
}

function resolveKeyFile(checks: OptionChecks, value: unknown, option: string): JwksSource {
  const file = resolve(checks.string(value, option, 'Give the path of a file that contains a JSON Web Key Set.'));
  let text: string;
  try {
    text = readRegularFile(file);
  } catch (error) {
    const expected = `a readable file (${fileFault(error)}; looked for ${file})`;
    return checks.refuse(option, expected, value, 'Correct the path.');
  }
  return { kind: 'file', file, jwks: requireJwks(checks, text, option) };
}

function requireLiveKeys(checks: OptionChecks, read: () => Jwks, option: string): JwksSource {
  let jwks: unknown;
  try {
    jwks = read();
  } catch (error) {
    return checks.refuse(option, `a function that returns a key set (it threw ${asError(error, 'it')})`, read, FIX);
  }
  ignoreRejection(jwks);
  requireJwks(checks, jwks, option);
  return { kind: 'live', read };
}

function requireJwks(checks: OptionChecks, given: unknown, option: string): Jwks {
  try {
    return parseJwks(given);
  } catch (error) {
    const expected = `a JSON Web Key Set, { "keys": [ … ] } (${(error as Error).message})`;
    return checks.refuse(option, expected, given, 'See RFC 7517, section 5.');
  }
}

/**
 * Checks that a key set has a list of keys that is not empty. Does not check the keys.
 *
 * @param given A key set, or its JSON text.
 * @throws {Error} With a message that says what is wrong, and quotes nothing.
 */
export function parseJwks(given: unknown): Jwks {
  const jwks = typeof given === 'string' ? parseJson(given) : given;
  if (!isRecord(jwks) || !Array.isArray(jwks.keys)) throw new Error('it has no list called "keys"');
  if (jwks.keys.length === 0) throw new Error('its list of keys is empty');
  return { keys: jwks.keys };
}

function parseJson(text: string): unknown {
  if (/^[ \t\r\n]*$/.test(text)) throw new Error('it is empty');
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
}
