import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Store, StoreBucket } from '../../src/index.js';
import { undisturbed } from './undisturbed.js';
import { until } from './until.js';

const bucket = (changes: Partial<StoreBucket> = {}): StoreBucket => ({
  key: 'a',
  capacity: 3,
  refill: 1,
  everyMs: 60_000,
  cost: 1,
  ...changes,
});

/** Everything that a list has after a cursor. */
async function rest(
  store: Store,
  list: string,
  from?: string,
): Promise<{ entries: string[]; cursor: string | undefined }> {
  const entries: string[] = [];
  for (let cursor = from; ; ) {
    const page = await store.since(list, cursor);
    entries.push(...page.entries);
    if (page.cursor === cursor) return { entries, cursor };
    cursor = page.cursor;
  }
}

/** Declares the tests that every store must pass. */
export function testStore(create: () => Promise<Store> | Store): void {
  test('a key gets a value once, until it expires', async () => {
    const store = await create();
    expect(await store.get('a')).toBeUndefined();
    const added = [await store.add('a', '1', 60_000), await store.add('a', '2', 60_000), await store.get('a')];
    expect(added).toEqual([true, false, '1']);
    const began = performance.now();
    expect(await store.add('b', '3', 300)).toBe(true);
    await until(async () => (await store.get('b')) === undefined);
    expect(performance.now() - began).toBeGreaterThan(290);
    expect([await store.add('b', '4', 60_000), await store.get('b')]).toEqual([true, '4']);
  });

  test('a number is raised, and never lowered, and kept for the longer of the two times', async () => {
    const store = await create();
    await store.raise?.('a', 9, 60_000);
    await store.raise?.('a', 10, 1);
    await store.raise?.('a', 2, 1);
    await store.raise?.('b', 3, 500);
    await store.raise?.('b', Number.MAX_SAFE_INTEGER, 500.5);
    await store.raise?.('b', 0, 60_000);
    await store.raise?.('c', 0, 600);
    expect(await store.get('b')).toBe('9007199254740991');
    expect(await store.get('c')).toBe('0');
    await until(async () => (await store.get('c')) === undefined);
    expect([await store.get('a'), await store.get('b')]).toEqual(['10', '9007199254740991']);
    await store.raise?.('c', 5, 60_000);
    expect([await store.get('c'), await store.add('c', '6', 60_000)]).toEqual(['5', false]);
  });

  test('of a hundred numbers at once, the highest stays', async () => {
    const store = await create();
    await Promise.all(Array.from({ length: 100 }, (_each, i) => store.raise?.('a', (i * 37) % 100, 60_000)));
    expect(await store.get('a')).toBe('99');
  });

  test('a bucket that takes ages to be full again counts too', async () => {
    const store = await create();
    const slow = bucket({ key: 'slow', capacity: Number.MAX_SAFE_INTEGER, everyMs: 31 * 86_400_000 });
    expect(await store.take([{ ...slow, cost: Number.MAX_SAFE_INTEGER }])).toBe(0);
    expect(await store.take([slow])).toBeGreaterThan(0);
  });

  test('of a hundred at once, one adds', async () => {
    const store = await create();
    const added = await Promise.all(Array.from({ length: 100 }, () => store.add('__proto__', 'x', 1_000)));
    expect(added.filter(Boolean)).toHaveLength(1);
  });

  test('a list returns what was appended since a cursor, in its order', async () => {
    const store = await create();
    const empty = await rest(store, 'a');
    expect(empty.entries).toEqual([]);
    const odd = 'two\nlines: "2:3" é';
    for (const entry of ['1', odd, '1']) await store.append('a', entry, 60_000);
    await store.append('b', 'another list', 60_000);
    const first = await rest(store, 'a', empty.cursor);
    expect(first.entries).toEqual(['1', odd, '1']);
    await store.append('a', '4', 60_000);
    expect((await rest(store, 'a', first.cursor)).entries).toEqual(['4']);
    expect((await rest(store, 'a')).entries).toEqual(['1', odd, '1', '4']);
  });

  test('entries expire one by one, whatever their order', async () => {
    const store = await create();
    await store.append('a', 'long', 60_000);
    await store.append('a', 'short', 200);
    await store.append('a', 'medium', 30_000);
    await store.append('a', 'another short', 400);
    const entries = async () => (await rest(store, 'a')).entries;
    await until(async () => (await entries()).length === 2);
    expect(await entries()).toEqual(['long', 'medium']);
    await store.append('a', 'new', 60_000);
    expect(await entries()).toEqual(['long', 'medium', 'new']);
  });

  test('a list of 2,500 entries is read whole', async () => {
    const store = await create();
    const entries = Array.from({ length: 2_500 }, (_entry, i) => String(i));
    for (const entry of entries) await store.append('a', entry, 60_000);
    expect((await rest(store, 'a')).entries).toEqual(entries);
  });

  test('a bucket gives its tokens, then says how long to wait', async () => {
    const store = await create();
    const taken = [];
    for (let i = 0; i < 4; i += 1) taken.push(await store.take([bucket()]));
    expect(taken.slice(0, 3)).toEqual([0, 0, 0]);
    expect(taken[3]).toBeGreaterThan(40_000);
    expect(taken[3]).toBeLessThanOrEqual(60_000);
    expect(await store.take([bucket({ key: 'b', cost: 3 })])).toBe(0);
  });

  test('takes from all buckets, or from none', async () => {
    const store = await create();
    const [wide, narrow] = [bucket({ key: 'wide', capacity: 5 }), bucket({ key: 'narrow', capacity: 1 })];
    expect(await store.take([wide, narrow])).toBe(0);
    for (let i = 0; i < 3; i += 1) expect(await store.take([wide, narrow])).toBeGreaterThan(0);
    expect(await store.take([{ ...wide, cost: 4 }])).toBe(0);
    expect(await store.take([wide])).toBeGreaterThan(0);
  });

  test('a bucket gets tokens back each time, up to its capacity', async () => {
    const store = await create();
    // Any two refills are 300 ms apart: the last one that must not have come is due after 1,800.
    const waits = await undisturbed(1_750, async (attempt) => {
      const quick = bucket({ key: `quick ${attempt}`, capacity: 4, refill: 2, everyMs: 300 });
      const first = [await store.take([{ ...quick, cost: 4 }]), await store.take([{ ...quick, cost: 4 }])];
      await pause(320);
      const second = [await store.take([{ ...quick, cost: 2 }]), await store.take([quick])];
      await pause(1_300);
      return [...first, ...second, await store.take([{ ...quick, cost: 4 }]), await store.take([quick])];
    });
    expect(waits.map((wait) => wait > 0)).toEqual([false, true, false, true, false, true]);
    // Four tokens need two refills.
    expect(waits[1]).toBeGreaterThan(300);
    expect(waits[1]).toBeLessThanOrEqual(600);
  });

  test('of a hundred at once, as many pass as there are tokens', async () => {
    const store = await create();
    const waits = await Promise.all(Array.from({ length: 100 }, () => store.take([bucket({ capacity: 30 })])));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(30);
  });
}
