import { afterEach, describe, expect, test, vi } from 'vitest';
import { networkOf } from '../../src/limits/caller-address.js';
import { createBucketCount } from '../../src/limits/counted-buckets.js';
import { parseDuration } from '../../src/limits/duration.js';
import { NamedBuckets } from '../../src/limits/named-buckets.js';
import { createBuckets } from '../../src/store/memory-store.js';
import type { StoreBucket } from '../../src/store/store.js';

afterEach(() => void vi.useRealTimers());

const passTime = (ms: number) => vi.advanceTimersByTime(ms);
const limit = { per: 'tool', capacity: 10, refill: 1, everyMs: 1_000 } as const;
const bucket: StoreBucket = { key: 'a', capacity: 2, refill: 1, everyMs: 1_000, cost: 1 };

describe('names that callers invent', () => {
  const namedBuckets = (max: number) => new NamedBuckets((key) => ({ ...bucket, key }), 1_000, max);
  const keysOf = (buckets: NamedBuckets<StoreBucket>, names: readonly string[]) =>
    names.map((name) => buckets.bucketOf(name).key);

  test('share a bucket once too many are in use, and no name is that of the shared one', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const buckets = namedBuckets(2);
    expect(keysOf(buckets, ['a', 'b', 'c', 'a', 'd', 'others'])).toEqual([
      ':a',
      ':b',
      'others',
      ':a',
      'others',
      'others',
    ]);
    expect(keysOf(namedBuckets(2), ['others'])).toEqual([':others']);
  });

  test('are forgotten once their buckets are full again, and not before', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const buckets = namedBuckets(2);
    keysOf(buckets, ['a', 'b']);
    for (let ms = 0; ms < 2_000; ms += 500) {
      passTime(500);
      keysOf(buckets, ['a']);
      if (ms < 500) expect(keysOf(buckets, ['c'])).toEqual(['others']);
    }
    expect(keysOf(buckets, ['c', 'd', 'a'])).toEqual([':c', 'others', ':a']);
  });

  test('a flood of tools makes at most 10,001 buckets of bounded size, in little time', () => {
    const count = createBucketCount([limit]);
    const keys = new Set<string>();
    const began = process.cpuUsage();
    for (let i = 0; i < 15_000; i += 1) {
      const params = { name: `${i}${'x'.repeat(i % 900)}` };
      const call = { method: 'tools/call', target: params.name, params };
      for (const { key } of count({ req: {} as never, auth: undefined, calls: [call] }).buckets) keys.add(key);
    }
    expect(keys.size).toBe(10_001);
    expect(Math.max(...[...keys].map((key) => key.length))).toBeLessThanOrEqual(256);
    expect(process.cpuUsage(began).user / 1_000, 'milliseconds').toBeLessThan(5_000);
  });
});

describe('buckets in memory', () => {
  test('are bounded: those that were not used for the longest time count as full again', () => {
    const take = createBuckets(4);
    const passes = (key: string) => take([{ ...bucket, key, capacity: 1, everyMs: 60_000 }]) === 0;
    expect(['a', 'b', 'c', 'd'].map(passes)).toEqual([true, true, true, true]);
    expect(['d', 'c'].map(passes)).toEqual([false, false]);
    for (let i = 0; i < 100; i += 1) passes(`e${i}`);
    expect(['a', 'e99', 'e98'].map(passes)).toEqual([true, false, false]);
  });

  test('a bucket in use is never forgotten before it is full, whatever else is used', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const take = createBuckets();
    const slow = { ...bucket, key: 'slow', capacity: 3, everyMs: 10_000 };
    take([{ ...slow, cost: 3 }]);
    for (let ms = 0; ms < 9_000; ms += 1_000) {
      passTime(1_000);
      take([{ ...bucket, key: 'quick', everyMs: 100 }]);
    }
    expect(take([slow])).toBe(1_000);
    passTime(15_000);
    expect(take([{ ...slow, cost: 3 }])).toBe(6_000);
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
  ['203.0.113.7:50123', '203.0.113.7'],
  ['[2001:db8:1:2aa::1]:50123', '2001:db8:1:200'],
  ['[2001:db8:1:2aa::1]', '2001:db8:1:200'],
  ['::ffff:203.0.113.7:50123', '::ffff:203.0.113.7:50123'],
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
