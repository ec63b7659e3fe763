import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { eventsOf } from '../support/mcp-answers.js';
import { call, callText, type Headers, open, post } from '../support/mcp-requests.js';
import { type Served, serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

let served: Served;
beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.stop());

const listen = (session: Headers, lastEventId?: string): Promise<Response> =>
  fetch(served.url, {
    headers: {
      ...session,
      accept: 'text/event-stream',
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    },
  });

describe('a stream that breaks', () => {
  test.each([
    ['1.2 MB', 1_200_000, 1],
    ['12 MB behind progress that was missed too', 12_000_000, 100],
  ])('keeps its answer of %s for a client that comes back, however late', async (_name, bytes, steps) => {
    const session = await open(served.url, {}, '2025-11-25');
    const hangUp = new AbortController();
    const message = call(1, 'progress', { steps, delay: 3, bytes }, { progressToken: 1 });
    const broken = eventsOf(await post(served.url, message, session, hangUp.signal));
    const first = (await broken.next()).value as { id: string };
    hangUp.abort();
    await broken.return(undefined).catch(() => undefined);
    await until(() => served.backend.stats().pending === 0);
    // Later events of other streams do not displace the answer.
    await callText(served.url, session, 'late');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 300_000 });
    onTestFinished(() => void vi.useRealTimers());
    await setTimeout(1_100);
    const seen: { id?: number; result?: { content: [{ text: string }] } }[] = [];
    for await (const { data } of eventsOf(await listen(session, first.id)))
      if (data !== '') seen.push(JSON.parse(data));
    expect([seen.length, seen.at(-1)?.result?.content[0].text.length]).toEqual([steps + 1, bytes]);
  });

  test('does not keep a large answer for long after a client has taken it', async () => {
    const session = await open(served.url, {}, '2025-11-25');
    const message = call(1, 'progress', { steps: 1, bytes: 1_200_000 }, { progressToken: 1 });
    const ids: (string | undefined)[] = [];
    for await (const { id } of eventsOf(await post(served.url, message, session))) ids.push(id);
    await (await listen(session, ids[0])).text();
    const { now } = performance;
    performance.now = () => now.call(performance) + 61_000;
    onTestFinished(() => {
      performance.now = now;
    });
    await setTimeout(1_100);
    expect((await listen(session, ids[0])).status).toBe(400);
  });
});
