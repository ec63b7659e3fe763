import { afterEach, expect, test } from 'vitest';
import { createTestIssuer } from '../../src/testing/index.js';
import { freePort } from '../support/loopback-server.js';
import { endPrograms, ROOT, startNode } from '../support/program.js';
import { startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';

afterEach(endPrograms);

test('two processes of samples/replicas.ts: a caller who logs out at one is logged out at the other', async () => {
  const issuer = createTestIssuer();
  await issuer.listen();
  const redis = await startRedis();
  // Both have the resource of the first, as behind one address.
  const start = async () => {
    const port = await freePort();
    const env = { PORT: `${port}`, ISSUER: issuer.issuer, REDIS_URL: `redis://127.0.0.1:${redis.port}` };
    await startNode([`${ROOT}build/samples/replicas.js`], { env }).says(/Listening/);
    return port;
  };
  const [a, b] = [await start(), await start()];
  const statusOf = async (port: number, path = '/mcp', method = 'GET') => {
    const token = issuer.tokenFor(`http://localhost:${port}/mcp`, { sub: 'ada' });
    return (await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { authorization: `Bearer ${token}` } }))
      .status;
  };
  expect([await statusOf(a), await statusOf(b)]).toEqual([404, 404]);
  expect(await statusOf(a, '/logout', 'POST')).toBe(204);
  expect(await statusOf(a)).toBe(401);
  await until(async () => (await statusOf(b)) === 401, 1_000);
  await issuer.close();
});
