import { expect, test } from 'vitest';
import { createMemoryStore, type Store } from '../../src/index.js';
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
  expect(lines.filter((line) => line.includes('store'))).toEqual([
    'error mcpAuth(): the store cannot be used: connection lost. Until it can, each process applies the revocations that it knows, and sends its own when the store is back',
    'warn mcpAuth(): the store can be used again',
  ]);
});
