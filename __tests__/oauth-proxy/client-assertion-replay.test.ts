import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createMemoryStore, type Store } from '../../src/index.js';
import type { KeyedClient } from '../../src/oauth-proxy/client-keys.js';
import { CLIENT, claims, createVerifier, verdictOn } from '../support/client-assertions.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner({ alg: 'ES256' });
const client: KeyedClient = { url: CLIENT, keys: { jwks: { keys: [signer.jwk as never] } } };
const USED = 'it has been used before';

/** The order of the group of P-256. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Negates `s` of an ECDSA signature, which stays valid. */
function withOtherSignature(assertion: string): string {
  const at = assertion.lastIndexOf('.') + 1;
  const signature = Buffer.from(assertion.slice(at), 'base64url').toString('hex');
  const s = ORDER - BigInt(`0x${signature.slice(64)}`);
  const other = Buffer.from(signature.slice(0, 64) + s.toString(16).padStart(64, '0'), 'hex');
  return assertion.slice(0, at) + other.toString('base64url');
}

test.each<[what: string, first: () => string, again: (first: string) => string]>([
  ['the same assertion', () => signer.sign(claims()), (first) => first],
  [
    'another assertion with its jti',
    () => signer.sign(claims({ jti: 'one' })),
    () => signer.sign(claims({ jti: 'one', more: 1 })),
  ],
  ['the same assertion, without jti', () => signer.sign(claims({ jti: undefined })), (first) => first],
  [
    'the same claims without jti, with another signature',
    () => signer.sign(claims({ jti: undefined })),
    withOtherSignature,
  ],
])('an assertion is accepted once: not %s', async (_what, makeFirst, again) => {
  const verifier = createVerifier();
  const first = makeFirst();
  expect(await verdictOn(first, client, verifier)).toBe('accepted');
  expect(await verdictOn(again(first), client, verifier)).toBe(USED);
});

test('of several requests with one assertion at once, one is accepted', async () => {
  const verifier = createVerifier();
  const assertion = signer.sign(claims());
  const verdicts = await Promise.all([1, 2, 3, 4].map(() => verdictOn(assertion, client, verifier)));
  expect(verdicts.toSorted()).toEqual(['accepted', USED, USED, USED]);
});

test('two clients may use the same jti', async () => {
  const verifier = createVerifier();
  const url = 'https://other.example/client.json';
  expect(await verdictOn(signer.sign(claims({ jti: '1' })), client, verifier)).toBe('accepted');
  const other = signer.sign(claims({ jti: '1', iss: url, sub: url }));
  expect(await verdictOn(other, { ...client, url }, verifier)).toBe('accepted');
});

test('a jti never equals the hash of an assertion without one', async () => {
  const verifier = createVerifier();
  const assertion = signer.sign(claims({ jti: undefined }));
  const hash = createHash('sha256')
    .update(assertion.slice(0, assertion.lastIndexOf('.')))
    .digest('base64url');
  for (const jti of [hash, `hash ${hash}`]) {
    expect(await verdictOn(signer.sign(claims({ jti })), client, verifier)).toBe('accepted');
  }
  expect(await verdictOn(assertion, client, verifier)).toBe('accepted');
});

test('replicas with one store accept an assertion once together; the store gets a hash, with an end', async () => {
  const added: [string, string, number][] = [];
  const memory = createMemoryStore();
  const add: Store['add'] = (...given) => {
    added.push(given);
    return memory.add(...given);
  };
  const replicas = [1, 2].map(() => createVerifier({ store: { ...memory, add } }));
  const assertion = signer.sign(claims({ jti: 'secret-id' }));
  const verdicts = await Promise.all(replicas.map((replica) => verdictOn(assertion, client, replica)));
  expect(verdicts.toSorted()).toEqual(['accepted', USED]);
  // 300 seconds, and the tolerance of 10 seconds twice for each clock.
  expect(added[0]).toEqual([expect.stringMatching(/^proof:[\w-]{43}$/), '1', 340_000]);
});

test('while the store is down, an assertion is answered 503, and the log says so once', async () => {
  const { lines, logger } = createRecordingLogger();
  const store: Store = { ...createMemoryStore(), add: () => Promise.reject(new Error('down')) };
  const verifier = createVerifier({ store, logger });
  for (let i = 0; i < 2; i += 1) {
    expect(await verdictOn(signer.sign(claims()), client, verifier)).toBe(
      '503 store_unavailable: The memory that the replicas of this server share cannot be used at the moment',
    );
  }
  expect(lines).toEqual([
    'error OAuth proxy: the store cannot be used: down. Until it can, clients that authenticate with private_key_jwt are answered 503',
  ]);
});
