import { expect, test } from 'vitest';
import { createMemoryStore, type Store } from '../../src/index.js';
import { memoryInUse } from '../support/memory-in-use.js';
import { claims, createProtectedApp, type ProtectedApp } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createSigner } from '../support/signer.js';
import { until } from '../support/until.js';

const signer = createSigner();
const tokenOf = (changes: Record<string, unknown>): string => signer.sign(claims(changes));
const statusOf = async (app: ProtectedApp, token: string): Promise<number> => (await app.send(token)).status;
const replica = (store: Store, more: object = {}): ProtectedApp => createProtectedApp({ store, ...more }, signer);

const failing = (store: Store, isDown: () => boolean): Store =>
  new Proxy(store, {
    get: (target, name: keyof Store) => (isDown() ? () => Promise.reject(new Error('connection lost')) : target[name]),
  });

test('what is known holds, what is revoked meanwhile arrives later, and the log says so once', async () => {
  const { lines, logger } = createRecordingLogger();
  const shared = createMemoryStore();
  let isDown = false;
  const [a, b] = [
    replica(
      failing(shared, () => isDown),
      { logger },
    ),
    replica(shared),
  ];
  const [before, during] = [tokenOf({ jti: 'before' }), tokenOf({ jti: 'during' })];
  expect([await statusOf(a, before), await statusOf(b, during)]).toEqual([200, 200]);
  b.auth.revoke(before);
  await until(async () => (await statusOf(a, before)) === 401, 10_000);
  isDown = true;
  expect(await statusOf(a, before)).toBe(401);
  a.auth.revoke(during);
  expect([await statusOf(a, during), await statusOf(b, during)]).toEqual([401, 200]);
  await until(() => lines.some((line) => line.startsWith('error')));
  isDown = false;
  await until(async () => (await statusOf(b, during)) === 401, 10_000);
  await until(() => lines.filter((line) => line.startsWith('warn')).length === 2, 10_000);
  expect(lines.filter((line) => line.includes('store')).toSorted()).toEqual([
    'error mcpAuth(), receiving revocations: the store cannot be used: connection lost. Until it can, this process applies the ones that it knows',
    'error mcpAuth(), sending revocations: the store cannot be used: connection lost. Until it can, those of this process apply in it only, and wait for the store',
    'warn mcpAuth(), receiving revocations: the store can be used again',
    'warn mcpAuth(), sending revocations: the store can be used again',
  ]);
});

const down = (): never => {
  throw new Error("OOM command not allowed when used memory > 'maxmemory'");
};

test.each<[string, () => never | Promise<never>]>([
  ['throws', down],
  ['rejects', async () => down()],
  ['does not answer', () => new Promise<never>(() => undefined)],
])('a store that %s when it is written to still brings the revocations of others', async (_case, append) => {
  const shared = createMemoryStore();
  let isFull = true;
  const store: Store = { ...shared, append: (...given) => (isFull ? append() : shared.append(...given)) };
  const { lines, logger } = createRecordingLogger();
  const [a, b] = [replica(store, { logger }), replica(shared)];
  const [token, own] = [tokenOf({ jti: 'theirs' }), tokenOf({ sub: 'bob' })];
  expect([await statusOf(a, token), await statusOf(b, own)]).toEqual([200, 200]);
  a.auth.revoke({ subject: 'bob' });
  await until(() => lines.some((line) => line.startsWith('error')));
  b.auth.revoke(token);
  await until(async () => (await statusOf(a, token)) === 401, 10_000);
  expect(await statusOf(b, own)).toBe(200);
  isFull = false;
  await until(async () => (await statusOf(b, own)) === 401, 10_000);
  expect(lines.filter((line) => line.includes('the store'))).toEqual([
    expect.stringMatching(
      /^error mcpAuth\(\), sending revocations: the store cannot be used: .+\. Until it can, those of this process apply in it only, and wait for the store$/,
    ),
    'warn mcpAuth(), sending revocations: the store can be used again',
  ]);
});

test('a revocation that waits for the store arrives although its mcpAuth() is no longer used', async () => {
  const shared = createMemoryStore();
  let isDown = true;
  const other = replica(shared);
  expect(await statusOf(other, tokenOf({}))).toBe(200);
  replica(failing(shared, () => isDown)).auth.revoke({ subject: 'alice' });
  for (let i = 0; i < 5; i += 1) await memoryInUse();
  isDown = false;
  await until(async () => (await statusOf(other, tokenOf({}))) === 401, 10_000);
});
