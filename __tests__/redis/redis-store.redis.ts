import { afterEach, describe, expect, test } from 'vitest';
import { createRedisStore } from '../../src/store/redis.js';
import { endPrograms } from '../support/program.js';
import { startRedis } from '../support/redis-server.js';
import { testStore } from '../support/store-contract.js';
import { CLIENTS, connectNodeRedis } from './redis-clients.js';

afterEach(endPrograms);

describe.each(Object.entries(CLIENTS))('over a client of %s', (_library, connect) => {
  const create = async () => createRedisStore(await connect((await startRedis()).port));
  testStore(create);

  test('what is written expires, and has the prefix in its name', async () => {
    const { port } = await startRedis();
    const store = createRedisStore(await connect(port), { prefix: 'mine' });
    await store.add('a', '1', 60_000);
    await store.append('list', '1', 60_000);
    await store.append('list', '2', 1_000);
    await store.take([{ key: 'a', capacity: 2, refill: 1, everyMs: 1_000, cost: 2 }]);
    const admin = await connectNodeRedis(port);
    const keys = (await admin.keys('*')).toSorted();
    expect(keys).toEqual([
      '{mine}:bucket:a',
      '{mine}:entries:list',
      '{mine}:expiries:list',
      '{mine}:last:list',
      '{mine}:value:a',
    ]);
    const expiries = await Promise.all(keys.map((key) => admin.pTTL(key)));
    expect(expiries.map((ms) => ms > 0 && ms <= 60_000)).toEqual([true, true, true, true, true]);
    expect(expiries[0]).toBeLessThanOrEqual(2_000);
  });

  test('stores with different prefixes know nothing of each other', async () => {
    const client = await connect((await startRedis()).port);
    const [mine, yours] = ['mine', 'yours'].map((prefix) => createRedisStore(client, { prefix }));
    expect([await mine?.add('a', '1', 1_000), await yours?.add('a', '1', 1_000)]).toEqual([true, true]);
  });

  test('a reader goes on after Redis has lost its data and its scripts', async () => {
    const { port } = await startRedis();
    const store = createRedisStore(await connect(port));
    for (const entry of ['1', '2', '3']) await store.append('list', entry, 60_000);
    const { cursor } = await store.since('list', undefined);
    const admin = await connectNodeRedis(port);
    await admin.flushAll();
    await admin.scriptFlush();
    await store.append('list', '4', 60_000);
    expect((await store.since('list', cursor)).entries).toEqual(['4']);
  });
});
