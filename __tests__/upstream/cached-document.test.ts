import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { CachedDocument } from '../../src/upstream/cached-document.js';
import { until } from '../support/until.js';

test('a document is refreshed outside the context of the request that first fetched it', async () => {
  const requests = new AsyncLocalStorage<string>();
  const names: (string | undefined)[] = [];
  const cached = new CachedDocument({
    fetch: async () => {
      names.push(requests.getStore());
      return { document: {}, lifetimeSeconds: 0.05 };
    },
    staleIfErrorSeconds: 1,
    onFailure: () => undefined,
    unavailable: ({ cause }) => new Error('unavailable', { cause }),
  });
  await requests.run('the first', () => cached.get());
  await until(() => names.length >= 3);
  expect(names.slice(0, 3)).toEqual(['the first', undefined, undefined]);
});
