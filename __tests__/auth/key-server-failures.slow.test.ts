import { expect, test, vi } from 'vitest';
import { expectUnavailable, fresh, setUp } from '../support/app-with-key-server.js';

test('a key server that stalls is given up after 5 seconds', async () => {
  const { protectedApp, server } = await setUp();
  server.answer((res) => void res.write('{'));
  const began = performance.now();
  await expectUnavailable(protectedApp, fresh());
  expect(performance.now() - began).toBeGreaterThan(4_500);
  expect(performance.now() - began).toBeLessThan(20_000);
});

test('cold, and one fetch fails: 200 seconds after the recovery, and not half a minute', async () => {
  const { server, protectedApp } = await setUp();
  await server.goDown();
  expect(await expectUnavailable(protectedApp, fresh())).toBe(1);
  await server.comeBack();
  const recovered = performance.now();
  await vi.waitUntil(async () => (await protectedApp.send(fresh())).status === 200, { timeout: 15_000 });
  expect(performance.now() - recovered).toBeLessThan(10_000);
  expect(server.requests).toBe(1);
});
