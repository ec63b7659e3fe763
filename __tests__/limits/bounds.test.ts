import { afterEach, describe, expect, test, vi } from 'vitest';
import { BoundedNames } from '../../src/limits/bounded-names.js';
import { networkOf } from '../../src/limits/caller-address.js';
import { createBucketCount } from '../../src/limits/counted-buckets.js';
import { parseDuration } from '../../src/limits/duration.js';
import { createBuckets } from '../../src/store/memory-store.js';
import type { StoreBucket } from '../../src/store/store.js';

afterEach(() => void vi.useRealTimers());

const passTime = (ms: number) => vi.advanceTimersByTime(ms);
const limit = { per: 'tool', capacity: 10, refill: 1, everyMs: 1_000 } as const;
const bucket: StoreBucket = { key: 'a', capacity: 2, refill: 1, everyMs: 1_000, cost: 1 };

describe('names that callers invent', () => {
  test('share a bucket once too many are in use, and no name is that of the shared one', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const names = new BoundedNames(1_000, 2);
    const given = ['a', 'b', 'c', 'a', 'd', 'others'].map((name) => names.boundedName(name));
    expect(given).toEqual([':a', ':b', 'others', ':a', 'others', 'others']);
    expect(new BoundedNames(1_000).boundedName('others')).toBe(':others');
  });

  test('are forgotten when their buckets are full again', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const names = new BoundedNames(1_000, 2);
    for (const name of ['a', 'b']) names.boundedName(name);
    passTime(900);
    names.boundedName('a');
    passTime(200);
    expect(['c', 'd', 'a'].map((name) => names.boundedName(name))).toEqual([':c', 'others', ':a']);
  });

  test('a flood of tools makes at most 10,001 buckets of bounded size, in little time', () => {
    const count = createBucketCount([limit]);
    const keys = new Set<string>();
    const began = performance.now();
    for (let i = 0; i < 30_000; i += 1) {
      const params = { name: `${i}${'x'.repeat(i % 900)}` };
      const call = { method: 'tools/call', target: params.name, params };
      for (const { key } of count({ req: {} as never, auth: undefined, calls: [call] })) keys.add(key);
    }
    expect(keys.size).toBe(10_001);
    expect(Math.max(...[...keys].map((key) => key.length))).toBeLessThanOrEqual(256);
    expect(performance.now() - began).toBeLessThan(3_000);
  });
});

describe('buckets in memory', () => {
  test('are bounded: the least recently used ones count as full again', () => {
    const take = createBuckets(2);
    const taken = ['a', 'a', 'b', 'b', 'a', 'c', 'a', 'b'].map((key) => take([{ ...bucket, key }]) === 0);
    expect(taken).toEqual([true, true, true, true, false, true, false, true]);
  });

  test('do not depend on the date, and a full one needs no memory', () => {
    vi.useFakeTimers({ toFake: ['performance', 'Date'], now: Date.now() });
    const take = createBuckets();
    expect([take([bucket]), take([bucket])]).toEqual([0, 0]);
    vi.setSystemTime(Date.now() + 86_400_000);
    expect(take([bucket])).toBe(1_000);
    passTime(1_000);
    expect([take([bucket]), take([bucket])]).toEqual([0, 1_000]);
    passTime(5_000);
    expect([take([bucket]), take([bucket]), take([bucket])]).toEqual([0, 0, 1_000]);
  });
});

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::FFFF:203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2ff::1', '2001:db8:1:200'],
  ['2001:DB8:1:2aa:9:9:9:9', '2001:db8:1:200'],
  ['2001:db8::', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['64:ff9b::203.0.113.7', '64:ff9b:0:0'],
  ['', ''],
  ['unix:', 'unix:'],
])('the network of %j is %j', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['1h30m', 5_400_000],
  ['1d', 86_400_000],
  ['31d', 31 * 86_400_000],
  ['99999999999999s', undefined],
  ['1s ', undefined],
  [null, undefined],
])('the time %j is %j ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});
