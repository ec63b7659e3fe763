import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventsOf, messagesOf, nextMessage, reasonOf } from '../support/mcp-answers.js';
import { call, callText, type Headers, open, post } from '../support/mcp-requests.js';
import { type Served, serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';
import { makeWaitingCall } from '../support/waiting-call.js';

let served: Served;
let session: Headers;
beforeAll(async () => {
  served = await serve();
  session = await open(served.url);
});
afterAll(() => served.stop());

test('progress of 16 concurrent calls arrives on its own call’s stream, all 80', async () => {
  const calls = Array.from({ length: 16 }, async (_, index) => {
    const response = await post(
      served.url,
      call(index, 'progress', { steps: 5 }, { progressToken: `t${index}` }),
      session,
    );
    const messages = await messagesOf(response);
    const tokens = messages.slice(0, -1).map(({ params }) => (params as { progressToken: string }).progressToken);
    expect(tokens).toEqual(Array(5).fill(`t${index}`));
    expect(messages.at(-1)).toMatchObject({ id: index });
    return tokens.length;
  });
  expect((await Promise.all(calls)).reduce((sum, count) => sum + count)).toBe(80);
});

describe('notifications/cancelled', () => {
  test('reaches the child, and the cancelled POST ends', async () => {
    const hanging = post(served.url, call('slow', 'hang'), session);
    await until(() => served.backend.stats().pending === 1);
    const params = { requestId: 'slow', reason: 'enough' };
    expect(
      (await post(served.url, { jsonrpc: '2.0', method: 'notifications/cancelled', params }, session)).status,
    ).toBe(202);
    expect(await (await hanging).json()).toMatchObject({ id: 'slow', error: { data: { reason: 'cancelled' } } });
    expect(JSON.parse(await callText(served.url, session, 'cancelled'))).toEqual(['slow']);
  });

  test('ends a stream too', async () => {
    const response = await post(served.url, call(5, 'progress', { steps: 100_000 }, { progressToken: 5 }), session);
    const events = eventsOf(response);
    await nextMessage(events);
    await post(served.url, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } }, session);
    let last: unknown;
    for await (const { data } of events) last = data;
    expect(JSON.parse(String(last))).toMatchObject({ id: 5, error: { data: { reason: 'cancelled' } } });
  });
});

test('the same id twice in flight: the second is refused, the first unharmed', async () => {
  const other = await open(served.url);
  const waiting = await makeWaitingCall();
  const first = post(served.url, waiting.message, other);
  await until(waiting.isRunning);
  const second = await post(served.url, call(1, 'echo'), other);
  expect([second.status, await reasonOf(second)]).toEqual([400, 'id_in_flight']);
  await waiting.release();
  expect((await messagesOf(await first)).at(-1)).toMatchObject({ id: 1, result: {} });
});

test('a child that crashes during a call: an error at once, then 404, others unharmed', async () => {
  const [doomed, other] = await Promise.all([open(served.url), open(served.url)]);
  const waiting = post(served.url, call(1, 'hang'), doomed);
  await until(() => served.backend.stats().pending === 1);
  const crashed = await post(served.url, call(2, 'crash'), doomed);
  expect([crashed.status, await reasonOf(crashed)]).toEqual([200, 'child_exited']);
  expect(await reasonOf(await waiting)).toBe('child_exited');
  expect((await post(served.url, call(3, 'echo'), doomed)).status).toBe(404);
  expect(await callText(served.url, other, 'echo')).toBe('{}');
});

test('a sampling round trip passes, to the standalone stream too', async () => {
  const own = await open(served.url);
  const stream = eventsOf(await fetch(served.url, { headers: { ...own, accept: 'text/event-stream' } }));
  const waiting = post(served.url, call(1, 'hang'), own);
  await until(() => served.backend.stats().pending === 1);
  const asked = post(served.url, call(2, 'ask'), own);
  const question = await nextMessage(stream);
  expect(question).toMatchObject({ method: 'sampling/createMessage' });
  await post(served.url, { jsonrpc: '2.0', id: question.id, result: { text: 'hi' } }, own);
  expect(await (await asked).json()).toMatchObject({ id: 2, result: { content: [{ text: '{"text":"hi"}' }] } });
  await fetch(served.url, { method: 'DELETE', headers: own });
  await waiting;
});
