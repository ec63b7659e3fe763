import { generateKeyPairSync, sign } from 'node:crypto';

type Json = Readonly<Record<string, unknown>>;

export type SigningKey = ReturnType<typeof createSigningKey>;

/** A key that signs tokens, made at once: nothing has to be awaited before the first test. */
export function createSigningKey(kid: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  /** The public half, as in a key set. */
  const jwk: Json = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' };
  return {
    kid,
    jwk,
    /** Signs whatever claims it is given: a suite also needs tokens that no library would make. */
    sign(payload: Json, header: Json): string {
      const input = `${encode({ alg: 'ES256', typ: 'at+jwt', kid, ...header })}.${encode(payload)}`;
      // RFC 7518, section 3.4: a JWS has R and S side by side, not in DER.
      const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `${input}.${signature.toString('base64url')}`;
    },
  };
}

function encode(part: Json): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
