import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test, vi } from 'vitest';
import { KeptCopy } from '../../src/upstream/kept-copy.js';

test("a copy is refreshed in nobody's name, though a request came first", async () => {
  const requests = new AsyncLocalStorage<string>();
  const names: (string | undefined)[] = [];
  const copy = new KeptCopy({
    fetch: async () => {
      names.push(requests.getStore());
      return 0.05;
    },
    staleIfErrorSeconds: 1,
    onFailure: () => undefined,
  });
  await requests.run('the first', () => copy.refreshWhenDue());
  await vi.waitUntil(() => names.length >= 3);
  expect(names.slice(0, 3)).toEqual(['the first', undefined, undefined]);
});
