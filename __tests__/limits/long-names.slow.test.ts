import { expect, test } from 'vitest';
import { NamedBuckets } from '../../src/limits/named-buckets.js';
import { memoryInUse } from '../support/memory-in-use.js';

test('names that callers invent take little memory, however long they are, and are told apart', async () => {
  const bucket = { capacity: 1, refill: 1, everyMs: 1_000, cost: 1 };
  const buckets = new NamedBuckets((key) => ({ ...bucket, key }), 3_600_000);
  // Flat texts of their own, as a parser makes them.
  const nameOf = (i: number) => Buffer.from(`${i}`.padEnd(8_192, 'x')).toString('latin1');
  const before = await memoryInUse();
  const keys = new Set<string>();
  for (let i = 0; i < 10_000; i += 1) keys.add(buckets.bucketOf(nameOf(i)).key);
  expect(keys.size).toBe(10_000);
  expect((await memoryInUse()) - before).toBeLessThan(15_000_000);
  expect(buckets.bucketOf(nameOf(10_000)).key).toBe('others');
});
