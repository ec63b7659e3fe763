import { expect, test } from 'vitest';
import { createTokenVerifier } from '../../src/auth/token/token-verifier.js';
import { resolveAuth } from '../../src/policy/resolve-auth.js';
import { claims, ISSUER, RESOURCE } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();

test('10,000 tokens are remembered', async () => {
  const policy = { issuer: ISSUER, jwks: { keys: [signer.jwk] }, resourceMetadata: { resource: RESOURCE } };
  const verifier = createTokenVerifier(resolveAuth('test', policy));
  const tokens = Array.from({ length: 10_001 }, (_, jti) => signer.sign(claims({ jti: String(jti) })));
  for (const token of tokens) await verifier.verify(token);
  expect(tokens.filter((token) => verifier.recall(token) === undefined)).toEqual([tokens[0]]);
}, 60_000);
