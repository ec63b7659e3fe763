import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { call, open, post, postStateless, statelessCall, statelessRequest } from '../support/mcp-requests.js';
import { serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const big = 'x'.repeat(1_000_000);
const notification = { jsonrpc: '2.0', method: 'notifications/x', params: { big } };

test('no request waits for longer than requestTimeoutSeconds', async () => {
  const { url, stop } = await serve({ requestTimeoutSeconds: 4 });
  const session = await open(url);
  void post(url, call(1, 'nap', { ms: 30_000 }), session);
  await post(url, notification, session);
  const response = await post(url, notification, session);
  expect(response.status).toBe(504);
  expect(await response.json()).toMatchObject({ error: { data: { reason: 'request_timed_out' } } });
  await stop();
});

test.each([
  ['its revisions', { SLOW_START: '6000' }, false],
  ['its tools', { SLOW_LIST: '6000' }, true],
])('bodies that wait until a child has named %s are limited in bytes', async (_what, env, isStarted) => {
  const { url, stop } = await serve({ anonymousRequests: 'shared', env: { STATELESS: '1', ...env } });
  if (isStarted) await (await postStateless(url, statelessRequest(0, 'ping'))).text();
  const message = statelessCall(1, 'pid', { text: 'x'.repeat(4_000_000) });
  const statuses: number[] = [];
  for (let i = 0; i < 8; i++) {
    const answered = postStateless(url, message).then(({ status }) => statuses.push(status));
    // One after the other: bodies that are still arriving have a limit of their own.
    await Promise.race([answered, setTimeout(150)]);
  }
  await until(() => statuses.length === 8);
  expect(statuses.sort()).toEqual([200, 200, 200, 200, 429, 429, 429, 429]);
  await stop();
});
