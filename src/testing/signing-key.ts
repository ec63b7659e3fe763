import { generateKeyPairSync, sign } from 'node:crypto';

type Json = Readonly<Record<string, unknown>>;

export type SigningKey = ReturnType<typeof createSigningKey>;

/** Creates a key that signs tokens. It is synchronous, so that a suite needs no setup. */
export function createSigningKey(kid: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  /** The public key, as in a key set. */
  const jwk: Json = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' };
  return {
    kid,
    jwk,
    /** Signs any claims, unchecked: a suite also needs tokens that no library would make. */
    sign(payload: Json, header: Json): string {
      const input = `${encode({ alg: 'ES256', typ: 'at+jwt', kid, ...header })}.${encode(payload)}`;
      // A JWS has R and S concatenated, not in DER (RFC 7518, section 3.4).
      const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `${input}.${signature.toString('base64url')}`;
    },
  };
}

function encode(part: Json): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
