import { expect, test } from 'vitest';
import { call, open, post } from '../support/mcp-requests.js';
import { serve } from '../support/stdio-bridge.js';

const big = 'x'.repeat(1_000_000);
const notification = { jsonrpc: '2.0', method: 'notifications/x', params: { big } };

test('nobody waits for longer than a request may take', async () => {
  const { url, stop } = await serve({ requestTimeoutSeconds: 1 });
  const session = await open(url);
  void post(url, call(1, 'nap', { ms: 30_000 }), session);
  await post(url, notification, session);
  const response = await post(url, notification, session);
  expect(response.status).toBe(504);
  expect(await response.json()).toMatchObject({ error: { data: { reason: 'request_timed_out' } } });
  await stop();
});
