import { describe, expect, test } from 'vitest';
import { eventsOf, messagesOf } from '../support/mcp-answers.js';
import { call, callText, open, post } from '../support/mcp-requests.js';
import { isRunning } from '../support/program.js';
import { serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1_000) + seconds;

describe.concurrent('the end of a token', () => {
  test('ends the streams it opened, resumably, and then the session, sooner than the idle time', async () => {
    const { url, backend, stop } = await serve({ expiryGraceSeconds: 0 });
    const session = await open(url, { authorization: `Bearer ada ${inSeconds(6)}` });
    const pid = Number(await callText(url, session, 'pid'));
    const stream = await fetch(url, { headers: { ...session, accept: 'text/event-stream' } });
    const posted = await post(url, call(1, 'progress', { steps: 1_000, delay: 50 }, { progressToken: 1 }), session);
    for (const response of [stream, posted]) {
      let last: string | undefined;
      for await (const { retry } of eventsOf(response)) last = retry;
      expect(last).toBe('1000');
    }
    await until(() => backend.stats().sessions === 0 && !isRunning(pid));
    await stop();
  });

  test('does not end a stream that was resumed with a new one', async () => {
    const { url, stop } = await serve();
    const session = await open(url, { authorization: `Bearer ada ${inSeconds(5)}` }, '2025-11-25');
    const message = call(1, 'progress', { steps: 120, delay: 60 }, { progressToken: 1 });
    let last: string | undefined;
    for await (const { id } of eventsOf(await post(url, message, session))) last = id ?? last;
    const renewed = { ...session, authorization: `Bearer ada ${inSeconds(60)}`, accept: 'text/event-stream' };
    const resumed = await fetch(url, { headers: { ...renewed, 'last-event-id': String(last) } });
    expect((await messagesOf(resumed)).at(-1)).toMatchObject({ id: 1, result: {} });
    await stop();
  });

  test('does not matter to a session whose user has a new one', async () => {
    const { url, backend, stop } = await serve({ expiryGraceSeconds: 0 });
    const session = await open(url, { authorization: `Bearer ada ${inSeconds(6)}` });
    await callText(url, { ...session, authorization: `Bearer ada ${inSeconds(60)}` }, 'pid');
    const end = inSeconds(7) * 1_000;
    await until(() => Date.now() > end);
    expect(backend.stats().sessions).toBe(1);
    await stop();
  });
});
