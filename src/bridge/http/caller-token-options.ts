import { createPrivateKey, type KeyObject, type webcrypto } from 'node:crypto';
import { canParseUrl } from '../../http/can-parse-url.js';
import { isPlain, type OptionChecks } from '../../options/checks.js';
import { group, type OptionTable, optional } from '../../options/option-table.js';
import { ANY_MAPPING, either, TEXT, TEXTS } from '../../options/value-type.js';

/** The tokens with which a backend tells a remote MCP server who is calling. */
export interface CallerTokenOptions {
  /**
   * The `iss` of the tokens: a URL of this server. It must not be the issuer of the OAuth proxy, which is the URL of the MCP endpoint:
   * an MCP server that discovers keys from it would find the keys of other tokens.
   */
  readonly issuer: string;
  /**
   * The private key: an EC key on P-256 (ES256) or an Ed25519 key (EdDSA), as PEM, JWK or `KeyObject`.
   * @default one that is made at start; other replicas do not have it, and it is lost with a restart
   */
  readonly key?: string | Buffer | webcrypto.JsonWebKey | KeyObject | undefined;
  /** Claims of the caller's token that are copied, in addition to `sub`, `client_id` and `scope`. @default [] */
  readonly claims?: readonly string[] | undefined;
}

/** Claims about the token itself. */
const OWN_CLAIMS = new Set('iss sub sub_id aud exp nbf iat jti client_id scope cnf'.split(' '));

export const CALLER_TOKEN_TABLE = {
  issuer: { type: TEXT, read: requireIssuer },
  key: { type: either(TEXT, ANY_MAPPING), read: optional(requireKey) },
  claims: { default: [], type: TEXTS, read: requireClaims },
} satisfies OptionTable<CallerTokenOptions>;

const FIX = 'Write { issuer: "https://mcp.example.com/callers" }.';
const readGroup = group(CALLER_TOKEN_TABLE, FIX);

export const resolveCallerToken: typeof readGroup = (checks, value, option) =>
  // A string may be the private key.
  typeof value === 'string' ? checks.refuseUnquoted(option, 'an object', FIX) : readGroup(checks, value, option);

/** A private key, and the algorithm that it signs with. */
export interface CallerKey {
  readonly alg: 'ES256' | 'EdDSA';
  readonly key: KeyObject;
}

/** Returns the key with its algorithm; undefined if it is another kind of key. */
export function signingKeyOf(key: KeyObject): CallerKey | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return { alg: 'EdDSA', key };
  return type === 'ec' && details?.namedCurve === 'prime256v1' ? { alg: 'ES256', key } : undefined;
}

function requireIssuer(checks: OptionChecks, value: unknown, option: string): string {
  const fix = 'Write a URL of this server, such as "https://mcp.example.com/callers".';
  const issuer = checks.string(value, option, fix);
  return /^https?:\/\//i.test(issuer) && canParseUrl(issuer) ? issuer : checks.refuse(option, 'a URL', issuer, fix);
}

/** The command that makes a key for ES256, whose signatures every library for JWTs can verify. */
export const KEY_COMMAND = 'openssl ecparam -name prime256v1 -genkey -noout -out caller-key.pem';

/** True if a string that should be a key is probably the name of a file that has it. */
export function looksLikeFileName(text: string): boolean {
  return !text.includes('\n') && /^(?:\.{0,2}[/\\]|~|[a-z]:[/\\])|\.(?:pem|key|p8|jwk|json|txt)$/i.test(text);
}

function requireKey(checks: OptionChecks, value: unknown, option: string): CallerKey {
  const key = privateKeyOf(value);
  const usable = key && signingKeyOf(key);
  if (usable !== undefined) return usable;
  // The messages do not quote the value, which may be a private key.
  if (typeof value === 'string' && looksLikeFileName(value)) {
    return checks.refuseUnquoted(option, 'a private key, not the name of a file', 'Read the file: readFileSync(…).');
  }
  const expected = 'a private key on P-256, or an Ed25519 key';
  return checks.refuseUnquoted(option, expected, `Make one with "${KEY_COMMAND}", and give the text of that file.`);
}

function privateKeyOf(value: unknown): KeyObject | undefined {
  try {
    if (typeof value === 'string' || Buffer.isBuffer(value)) return createPrivateKey(value);
    if (isPlain(value)) return createPrivateKey({ key: value, format: 'jwk' });
    return (value as KeyObject).type === 'private' ? (value as KeyObject) : undefined;
  } catch {
    // The error of Node may quote the key.
    return undefined;
  }
}

function requireClaims(checks: OptionChecks, value: unknown, option: string): readonly string[] {
  const claims = checks.strings(value, option, "Name claims of the callers' tokens.");
  const own = claims.find((claim) => OWN_CLAIMS.has(claim));
  return own === undefined ? claims : checks.refuse(option, 'claims about the caller', own, 'Remove it.');
}
