import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { setDate } from '../support/app-with-key-server.js';
import { messagesOf } from '../support/mcp-answers.js';
import { call, callText, modernCall, modernText, open, post, postModern } from '../support/mcp-requests.js';
import { serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const HOUR = 3_600_000;
/** A look of the bridge at what has been going on for too long. */
const LOOK_MS = 1_500;

afterEach(() => void vi.useRealTimers());

describe.each([-5, 5])('though the date moves by %d hours', (hours) => {
  test('a session and a shared child are kept that were just used', async () => {
    const { url, stop } = await serve({ env: { MODERN: '1' }, anonymousRequests: 'shared' });
    const session = await open(url);
    const pids = [await callText(url, session, 'pid'), await modernText(url, 'pid')];
    setDate(hours * HOUR);
    await setTimeout(LOOK_MS);
    expect([await callText(url, session, 'pid'), await modernText(url, 'pid')]).toEqual(pids);
    vi.useRealTimers();
    await stop();
  });

  test('those end that have been idle for too long', async () => {
    const { url, backend, stop } = await serve({ idleTimeoutSeconds: 1, env: { MODERN: '1' } });
    await open(url);
    await modernText(url, 'pid');
    setDate(hours * HOUR);
    await until(() => backend.stats().children === 0);
    vi.useRealTimers();
    await stop();
  });

  test('a request may take as long as it may, and no longer', async () => {
    const { url, stop } = await serve({ requestTimeoutSeconds: 3, env: { MODERN: '1' } });
    const session = await open(url);
    const answers = [
      post(url, call(1, 'hang'), session),
      postModern(url, modernCall(1, 'hang')),
      post(url, call(2, 'progress', { steps: 15, delay: 100 }), session),
    ];
    await setTimeout(300);
    const began = performance.now();
    setDate(hours * HOUR);
    expect((await messagesOf(await (answers[2] as Promise<Response>)))[0]).toMatchObject({ result: {} });
    for (const answer of answers.slice(0, 2)) {
      expect((await messagesOf(await answer))[0]).toMatchObject({ error: { data: { reason: 'request_timed_out' } } });
    }
    expect(performance.now() - began).toBeLessThan(8_000);
    vi.useRealTimers();
    await stop();
  });
});
