import { expect, test } from 'vitest';
import { claims, createVerifier, verdictOn } from '../support/client-assertions.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner({ alg: 'ES256' });
const jwks = { keys: [signer.jwk as never] };
const FULL = '503 proof_store_full: Too many DPoP proofs or client assertions are in use at the moment';

test('the clients of one host, at any ports, can use up a tenth of the memory for used assertions', {
  timeout: 120_000,
}, async () => {
  const verifier = createVerifier();
  const use = (url: string) =>
    verdictOn(signer.sign(claims({ iss: url, sub: url })), { url, keys: { jwks } }, verifier);
  const verdicts = new Map<string, number>();
  for (let i = 0; i < 10_000; i += 1) {
    const verdict = await use(`https://one.example:${2_000 + (i % 10)}/${i % 20}`);
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  }
  expect([...verdicts]).toEqual([['accepted', 10_000]]);
  expect(await use('https://one.example/another')).toBe(FULL);
  expect(await use('https://other.example/1')).toBe('accepted');
});
