import { afterEach, expect, test, vi } from 'vitest';
import { passTime } from '../support/app-with-key-server.js';
import { setUpIntrospection } from '../support/introspection-server.js';
import { serve } from '../support/loopback-server.js';

afterEach(() => void vi.useRealTimers());

const CALLS_PER_SECOND = 10;
const AT_ONCE = 50;

test('10,000 made-up tokens cost a bounded number of calls a second, and known tokens pass meanwhile', async () => {
  const introspection = { maxCallsPerSecond: CALLS_PER_SECOND };
  const { server, protectedApp } = await setUpIntrospection({ introspection });
  const url = `${await serve(protectedApp.app)}/mcp`;
  const known = server.issue();
  const statuses = new Set<number>();
  const send = async (token: string) => {
    const { status, headers, body } = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    await body?.cancel();
    if (status === 503) expect(headers.get('retry-after')).toBe('1');
    return status;
  };
  const flood = async (count: number) => {
    for (let sent = 0; sent < count; sent += AT_ONCE) {
      const batch = Array.from({ length: AT_ONCE }, () => send(`made-up-${Math.random()}`));
      for (const status of await Promise.all(batch)) statuses.add(status);
      if (sent % 1_000 === 0) expect(await send(known)).toBe(200);
    }
  };

  expect(await send(known)).toBe(200);
  const began = performance.now();
  await flood(10_000);
  const seconds = (performance.now() - began) / 1_000;
  expect(server.asked.length).toBeLessThanOrEqual(1 + CALLS_PER_SECOND * (seconds + 1));
  expect([...statuses].toSorted()).toEqual([401, 503]);

  // A known token is asked about again, whatever others use up.
  passTime(61_000);
  await flood(100);
  expect(await send(known)).toBe(200);
});
