import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { isPlain, type OptionChecks } from '../../options/checks.js';
import { group, type OptionTable, optional, text } from '../../options/option-table.js';

/** How `mcpHttpBackend()` says who is calling in a token. */
export interface CallerTokenOptions {
  /**
   * The `iss` of the tokens: a URL of this server's, but not the `issuer` of its OAuth proxy, which is the URL of the MCP endpoint.
   * MCP servers that find keys by it would find those of other tokens.
   */
  readonly issuer: string;
  /**
   * The private key: an EC key on P-256 (ES256) or an Ed25519 key (EdDSA), as PEM, JWK or `KeyObject`.
   * @default one that is made at start, which no other replica has, and none after a restart
   */
  readonly key?: string | JsonWebKey | KeyObject | undefined;
  /** Claims of the caller's token that are copied, beside `sub`, `client_id` and `scope`. @default [] */
  readonly claims?: readonly string[] | undefined;
}

/** Claims that say what this token is, and not who is calling. */
const OWN_CLAIMS = new Set('iss sub sub_id aud exp nbf iat jti client_id scope cnf'.split(' '));

export const CALLER_TOKEN_TABLE = {
  issuer: { read: text('Write a URL of this server, such as "https://mcp.example.com/callers".') },
  key: { read: optional(requireKey) },
  claims: { default: [], read: requireClaims },
} satisfies OptionTable<CallerTokenOptions>;

export const resolveCallerToken = group(CALLER_TOKEN_TABLE, 'Write { issuer: "https://mcp.example.com/callers" }.');

/** A key that tokens are signed with. */
export interface SigningKey {
  readonly alg: 'ES256' | 'EdDSA';
  readonly key: KeyObject;
}

/** The algorithm of a private key; undefined where it is another kind of key. */
export function signingKeyOf(key: KeyObject): SigningKey | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return { alg: 'EdDSA', key };
  return type === 'ec' && details?.namedCurve === 'prime256v1' ? { alg: 'ES256', key } : undefined;
}

function requireKey(checks: OptionChecks, value: unknown, option: string): SigningKey {
  const key = privateKeyOf(value);
  // Never quoted.
  const fix = 'Make one with "openssl genpkey -algorithm ed25519".';
  return (key && signingKeyOf(key)) ?? checks.refuseUnquoted(option, 'a private key on P-256, or an Ed25519 key', fix);
}

function privateKeyOf(value: unknown): KeyObject | undefined {
  try {
    if (typeof value === 'string') return createPrivateKey(value);
    if (isPlain(value)) return createPrivateKey({ key: value, format: 'jwk' });
    return (value as KeyObject).type === 'private' ? (value as KeyObject) : undefined;
  } catch {
    // Whatever is wrong with it, the message must not quote it.
    return undefined;
  }
}

function requireClaims(checks: OptionChecks, value: unknown, option: string): readonly string[] {
  const claims = checks.strings(value, option, 'Name claims of the callers’ tokens.');
  const own = claims.find((claim) => OWN_CLAIMS.has(claim));
  return own === undefined ? claims : checks.refuse(option, 'claims about the caller', own, 'Remove it.');
}
