import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { setDate } from '../support/app-with-key-server.js';
import { messagesOf } from '../support/mcp-answers.js';
import { call, callText, open, post, postStateless, statelessCall, statelessText } from '../support/mcp-requests.js';
import { serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const HOUR = 3_600_000;
/** Longer than the interval at which the bridge looks for timeouts. */
const CHECK_MS = 1_500;

afterEach(() => void vi.useRealTimers());

describe.each([-5, 5])('when the date moves by %d hours', (hours) => {
  test('a session and a shared child that were just used are kept', async () => {
    const { url, stop } = await serve({ env: { STATELESS: '1' }, anonymousRequests: 'shared' });
    const session = await open(url);
    const pids = [await callText(url, session, 'pid'), await statelessText(url, 'pid')];
    setDate(hours * HOUR);
    await setTimeout(CHECK_MS);
    expect([await callText(url, session, 'pid'), await statelessText(url, 'pid')]).toEqual(pids);
    vi.useRealTimers();
    await stop();
  });

  test('sessions and children that have been idle for too long end', async () => {
    const { url, backend, stop } = await serve({ idleTimeoutSeconds: 1, env: { STATELESS: '1' } });
    await open(url);
    await statelessText(url, 'pid');
    setDate(hours * HOUR);
    await until(() => backend.stats().children === 0);
    vi.useRealTimers();
    await stop();
  });

  test('a request times out after requestTimeoutSeconds, and not before', async () => {
    const { url, stop } = await serve({ requestTimeoutSeconds: 8, env: { STATELESS: '1' } });
    const session = await open(url);
    const answers = [
      post(url, call(1, 'hang'), session),
      postStateless(url, statelessCall(1, 'hang')),
      post(url, call(2, 'progress', { steps: 15, delay: 100 }), session),
    ];
    await setTimeout(300);
    const began = performance.now();
    setDate(hours * HOUR);
    expect((await messagesOf(await (answers[2] as Promise<Response>)))[0]).toMatchObject({ result: {} });
    for (const answer of answers.slice(0, 2)) {
      expect((await messagesOf(await answer))[0]).toMatchObject({ error: { data: { reason: 'request_timed_out' } } });
    }
    expect(performance.now() - began).toBeLessThan(25_000);
    vi.useRealTimers();
    await stop();
  });
});
