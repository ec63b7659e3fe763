import { expect, test } from 'vitest';
import { createMemoryStore } from '../../src/index.js';
import { ada, createLimitedApp, hourly, statuses } from '../support/limited-app.js';
import { until } from '../support/until.js';

test('a store that never answers holds up one call for a second, and its recovery is noticed', async () => {
  const store = createMemoryStore();
  let isSilent = true;
  let asked = 0;
  const take: typeof store.take = (buckets) => {
    asked += 1;
    return isSilent ? new Promise(() => undefined) : store.take(buckets);
  };
  const app = createLimitedApp([hourly('user', 100)], { store: { ...store, take } });
  const began = performance.now();
  expect(await statuses(app, Array(20).fill([ada]))).toEqual(Array(20).fill(200));
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(asked).toBeLessThan(3);
  isSilent = false;
  await until(async () => {
    await statuses(app, [[ada]]);
    return (
      (await store.take([
        {
          key: 'user:100:1:3600000:known:["https://issuer.test","ada"]',
          capacity: 100,
          refill: 1,
          everyMs: 3_600_000,
          cost: 100,
        },
      ])) > 0
    );
  });
});
