import { expect, test } from 'vitest';
import { expectUnavailable, fresh, setUp } from '../support/app-with-key-server.js';

test('a key server that stalls is given up after 5 seconds', async () => {
  const { gate, server } = await setUp();
  server.answer((res) => void res.write('{'));
  const began = performance.now();
  await expectUnavailable(gate, fresh());
  expect(performance.now() - began).toBeGreaterThan(4_500);
  expect(performance.now() - began).toBeLessThan(7_000);
});
