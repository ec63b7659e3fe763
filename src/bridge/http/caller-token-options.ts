import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { isPlain, type OptionChecks } from '../../options/checks.js';
import { group, type OptionTable, optional, text } from '../../options/option-table.js';

/** The tokens with which `mcpHttpBackend()` says who is calling. */
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
  readonly key?: string | JsonWebKey | KeyObject | undefined;
  /** Claims of the caller's token that are copied, in addition to `sub`, `client_id` and `scope`. @default [] */
  readonly claims?: readonly string[] | undefined;
}

/** Claims about the token itself. */
const OWN_CLAIMS = new Set('iss sub sub_id aud exp nbf iat jti client_id scope cnf'.split(' '));

export const CALLER_TOKEN_TABLE = {
  issuer: { read: text('Write a URL of this server, such as "https://mcp.example.com/callers".') },
  key: { read: optional(requireKey) },
  claims: { default: [], read: requireClaims },
} satisfies OptionTable<CallerTokenOptions>;

const FIX = 'Write { issuer: "https://mcp.example.com/callers" }.';
const readGroup = group(CALLER_TOKEN_TABLE, FIX);

export const resolveCallerToken: typeof readGroup = (checks, value, option) =>
  // A text may be the private key.
  typeof value === 'string' ? checks.refuseUnquoted(option, 'an object', FIX) : readGroup(checks, value, option);

/** A private key, and the algorithm that it signs with. */
export interface CallerKey {
  readonly alg: 'ES256' | 'EdDSA';
  readonly key: KeyObject;
}

/** Returns the key with its algorithm; undefined if it is another kind of key. */
export function callerKeyOf(key: KeyObject): CallerKey | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return { alg: 'EdDSA', key };
  return type === 'ec' && details?.namedCurve === 'prime256v1' ? { alg: 'ES256', key } : undefined;
}

function requireKey(checks: OptionChecks, value: unknown, option: string): CallerKey {
  const key = privateKeyOf(value);
  // The message does not quote the value, which may be a private key.
  const fix = 'Make one with "openssl genpkey -algorithm ed25519".';
  return (key && callerKeyOf(key)) ?? checks.refuseUnquoted(option, 'a private key on P-256, or an Ed25519 key', fix);
}

function privateKeyOf(value: unknown): KeyObject | undefined {
  try {
    if (typeof value === 'string') return createPrivateKey(value);
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
