import { expect, test } from 'vitest';
import { createMemoryStore } from '../../src/index.js';
import { createUsedCodes } from '../../src/oauth-proxy/issuing/used-codes.js';

const login = (name: string) => ({ login: name, expiry: Date.now() + 60_000 });

test('a code that another replica used first is remembered with the login of that replica', async () => {
  const store = createMemoryStore();
  await store.add('code used k', JSON.stringify(login('first')), 60_000);
  const codes = createUsedCodes({ store, logger: console } as never);
  expect(await codes.use('k', login('second'))).toBe(false);
  expect(await codes.find('k')).toMatchObject({ login: 'first' });
});
