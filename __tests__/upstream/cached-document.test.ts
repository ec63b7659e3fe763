import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
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

describe('a document that lacks an entry', () => {
  /** A document that gets its entry after the first fetch. Its fetches wait for `release()`. */
  function createGrowing() {
    let fetches = 0;
    let release = (): void => undefined;
    const cached = new CachedDocument({
      fetch: async () => {
        fetches += 1;
        const document = { entry: fetches > 1 };
        if (fetches > 1)
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        return { document, lifetimeSeconds: 60 };
      },
      staleIfErrorSeconds: 60,
      onFailure: () => undefined,
      unavailable: ({ cause }) => new Error('unavailable', { cause }),
    });
    const find = () => cached.refetch(({ entry }) => entry || undefined);
    return { cached, find, fetches: () => fetches, release: () => release() };
  }

  test('is fetched once for callers that look for it together, and for those that come meanwhile', async () => {
    const { cached, find, fetches, release } = createGrowing();
    await cached.get();
    const together = [find(), find(), find()];
    await new Promise(setImmediate);
    const meanwhile = find();
    await new Promise(setImmediate);
    release();
    expect(await Promise.all([...together, meanwhile])).toEqual([true, true, true, true]);
    expect(fetches()).toBe(2);
  });

  test('is not the newest one while it is fetched', async () => {
    const { cached, find, release } = createGrowing();
    await cached.get();
    const moment = performance.now();
    const found = find();
    await new Promise(setImmediate);
    expect(cached.isNewestFor(moment)).toBe(false);
    release();
    await found;
    expect(cached.isNewestFor(moment)).toBe(true);
  });
});
