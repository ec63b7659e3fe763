import { expect, test } from 'vitest';
import { createMemoryStore, mcpAuth } from '../../src/index.js';
import { good } from '../support/good-policy.js';
import { memoryInUse } from '../support/memory-in-use.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const COUNT = 40;

const policy = { ...good, logger: createRecordingLogger().logger };
const introspection = { endpoint: 'https://issuer.example/introspect', clientId: 'gateway', clientSecret: 'secret' };

/** Nothing has been remembered yet, so that little may be reserved: a process can have a policy for each of a thousand routes. */
test.each<[what: string, create: () => unknown]>([
  ['mcpAuth()', () => mcpAuth(policy)],
  ['mcpAuth({ introspection })', () => mcpAuth({ ...policy, introspection })],
  ['mcpAuth({ verifiers })', () => mcpAuth({ ...policy, verifiers: [async () => undefined] })],
  ['mcpAuth({ senderConstraint })', () => mcpAuth({ ...policy, senderConstraint: { dpop: {} } })],
  ['mcpAuth({ tokenCache }) for a million tokens', () => mcpAuth({ ...policy, tokenCache: { maxEntries: 1_000_000 } })],
  ['createMemoryStore()', () => createMemoryStore()],
])('%s reserves less than 200 kB', async (_what, create) => {
  create();
  const before = await memoryInUse();
  const created = Array.from({ length: COUNT }, create);
  const each = ((await memoryInUse()) - before) / created.length;
  expect(each).toBeLessThan(200_000);
});
