import { createHash } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { claims, RESOURCE } from './protected-app.js';
import { assemble, createSigner, signatureOf } from './signer.js';

/** The issuer. */
export const signer = createSigner();
/** Signs with the key that the tokens are bound to. */
export const holder = createSigner();
const holderJwk = holder.publicKey.export({ format: 'jwk' });
export const jkt = await calculateJwkThumbprint(holderJwk as never);
// Test files share this module, and some of them change the clock while it may be loaded.
const exp = Date.UTC(2100, 0) / 1_000;
export const bound = signer.sign(claims({ cnf: { jkt }, exp }));
export const plain = signer.sign(claims({ exp }));
export const ALGS = 'ES256 ES384 ES512 PS256 PS384 PS512 RS256 EdDSA';

export const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url');
export const now = () => Math.floor(Date.now() / 1000);

/** A proof for a GET of the resource with the token `bound`; `changes` and `header` override its members. */
export function proof(
  changes: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  by = holder,
): string {
  const payload = {
    jti: Math.random().toString(),
    htm: 'GET',
    htu: RESOURCE,
    iat: now(),
    ath: hashOf(bound),
    ...changes,
  };
  const jose = { typ: 'dpop+jwt', alg: by.alg, jwk: holderJwk, ...header };
  return assemble(jose, payload, signatureOf(by.alg, by.privateKey));
}

/** The settings of a policy for tokens bound to a key. */
export const DPOP = {
  off: {},
  accept: { dpop: {} },
  require: { dpop: { required: true } },
} as const;
