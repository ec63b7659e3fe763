import { expect, test } from 'vitest';
import type { KeySet } from '../../src/auth/keys/key-set.js';
import { createForgedTokens } from '../../src/auth/token/forged-tokens.js';
import { createTokenVerifier } from '../../src/auth/token/token-verifier.js';
import { AuthError } from '../../src/core/errors.js';
import { resolveAuth } from '../../src/policy/resolve-auth.js';
import { good, signer } from '../support/good-policy.js';
import { memoryInUse } from '../support/memory-in-use.js';
import { claims } from '../support/protected-app.js';

const MIB = 2 ** 20;
const TOKENS = 400;

const open = (maxBytes: number) => createTokenVerifier(resolveAuth('mcpAuth()', { ...good, tokenCache: { maxBytes } }));

/** Different claims that make a token about eleven kilobytes long. */
const FILLINGS: Readonly<Record<string, (i: number) => unknown>> = {
  'one long text': (i) => `${i}${'x'.repeat(7_900)}`,
  'many groups': (i) => Array.from({ length: 400 }, (_, k) => `group-${i}-${k}-abcd`),
  'empty lists': () => Array.from({ length: 2_600 }, () => []),
  'empty objects': () => Array.from({ length: 2_600 }, () => ({})),
  'unique member names': (i) => Object.fromEntries(Array.from({ length: 600 }, (_, k) => [`n${i}_${k}`, 1])),
  nesting: (i) => Array.from({ length: 60 }, () => Array.from({ length: 60 }).reduce((inner) => [inner], i)),
};

test.each(Object.keys(FILLINGS))('remembered tokens with %s take no more memory than maxBytes', async (name) => {
  const verifier = open(2 * MIB);
  const before = await memoryInUse();
  let last = '';
  for (let i = 0; i < TOKENS; i += 1) {
    last = signer.sign(claims({ sub: `user-${i}`, filling: FILLINGS[name]?.(i) }));
    await verifier.verify(last);
  }
  const taken = (await memoryInUse()) - before;
  expect(verifier.recall(last)).toBeDefined();
  expect(taken / MIB).toBeLessThan(4.5);
});

test('a thousand tokens of a usual size take less than a tenth of the default maxBytes', async () => {
  const verifier = open(6_710_886);
  const tokens: string[] = [];
  for (let i = 0; i < 1_000; i += 1) {
    tokens.push(signer.sign(claims({ sub: `user-${i}`, roles: 'r'.repeat(1_200) })));
    await verifier.verify(tokens.at(-1) as string);
  }
  expect(tokens.filter((token) => verifier.recall(token) === undefined)).toEqual([]);
});

test('revoked tokens are remembered in a few bytes each', async () => {
  const verifier = open(2 * MIB);
  const before = await memoryInUse();
  const filling = 'x'.repeat(7_900);
  let last = '';
  for (let i = 0; i < TOKENS; i += 1) {
    last = signer.sign(claims({ sub: `user-${i}`, filling }));
    verifier.revoke(last);
  }
  expect(((await memoryInUse()) - before) / MIB).toBeLessThan(1.5);
  await expect(verifier.verify(last)).rejects.toMatchObject({ code: 'token_revoked' });
});

test.each([
  ['short', 100],
  ['long', 5_000],
])('forged tokens with %s names take a bounded amount of memory', async (_title, length) => {
  const forgedTokens = createForgedTokens();
  const keySet = { isUnchangedSince: () => true } as unknown as KeySet;
  const before = await memoryInUse();
  for (let i = 0; i < 100_000; i += 1) {
    const refusal = new AuthError('bad_signature', { sub: `${i}${'x'.repeat(length)}`.slice(0, length) });
    forgedTokens.remember(`token ${i}`, { refusal, keySet, moment: { revision: 0, at: 0 } });
  }
  expect(((await memoryInUse()) - before) / MIB).toBeLessThan(40);
  expect(forgedTokens.recall('token 99999')?.code).toBe('bad_signature');
  expect(forgedTokens.recall('token 0')).toBeUndefined();
});

test('a forged token with an object for a name is not remembered, whose size is unknown', () => {
  const forgedTokens = createForgedTokens();
  const refusal = new AuthError('bad_signature', { sub: [[[]]] });
  const keySet = { isUnchangedSince: () => true } as unknown as KeySet;
  forgedTokens.remember('token', { refusal, keySet, moment: { revision: 0, at: 0 } });
  expect(forgedTokens.recall('token')).toBeUndefined();
});
