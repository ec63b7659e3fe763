import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventsOf, messagesOf, nextMessage } from '../support/mcp-answers.js';
import {
  initialize,
  post,
  postStateless,
  statelessCall,
  statelessRequest,
  statelessText,
} from '../support/mcp-requests.js';
import { isRunning } from '../support/program.js';
import { fixture, type Served, serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

let served: Served;
beforeAll(async () => {
  served = await serve({ anonymousRequests: 'shared', env: { STATELESS: '1' } });
});
afterAll(() => served.stop());

describe('a request of 2026-07-28', () => {
  test('is answered without a session', async () => {
    const response = await postStateless(served.url, statelessRequest('d', 'server/discover'));
    expect([response.status, response.headers.get('mcp-session-id')]).toEqual([200, null]);
    expect(await response.json()).toMatchObject({ id: 'd', result: { supportedVersions: ['2026-07-28'] } });
  });

  test('shares a child with other requests of the same principal, and with no others', async () => {
    const as = (name: string) => statelessText(served.url, 'pid', {}, { authorization: `Bearer ${name}` });
    const [first, second, other, anonymous] = await Promise.all([
      as('ada'),
      as('ada'),
      as('bob'),
      statelessText(served.url, 'pid'),
    ]);
    expect(second).toBe(first);
    expect(new Set([first, other, anonymous]).size).toBe(3);
  });

  test('keeps its id, even if other requests have the same', async () => {
    const answers = await Promise.all(
      [1, 2, 3].map(async (delay) => {
        const message = statelessCall('same', 'progress', { steps: 2, delay: delay * 5 }, { progressToken: 'same' });
        return messagesOf(await postStateless(served.url, message));
      }),
    );
    for (const messages of answers) {
      expect(messages.map(({ id, params }) => id ?? (params as { progressToken: string }).progressToken)).toEqual([
        'same',
        'same',
        'same',
      ]);
    }
  });

  test('is cancelled at the child when its client hangs up', async () => {
    const user = { authorization: 'Bearer hangup' };
    await statelessText(served.url, 'pid', {}, user);
    const before = served.backend.stats().pending;
    const hangUp = new AbortController();
    const hanging = postStateless(served.url, statelessCall(1, 'hang'), user, hangUp.signal).catch(() => undefined);
    await until(() => served.backend.stats().pending === before + 1);
    hangUp.abort();
    await hanging;
    await until(async () => JSON.parse(await statelessText(served.url, 'cancelled', {}, user)).length === 1);
  });

  test('is cancelled at the child when its client closes the stream', async () => {
    const user = { authorization: 'Bearer closer' };
    const hangUp = new AbortController();
    const message = statelessCall(1, 'progress', { steps: 10_000 }, { progressToken: 1 });
    const events = eventsOf(await postStateless(served.url, message, user, hangUp.signal));
    await nextMessage(events);
    hangUp.abort();
    await until(async () => JSON.parse(await statelessText(served.url, 'cancelled', {}, user)).length === 1);
    await events.return(undefined).catch(() => undefined);
  });

  test('gets its own log messages when it asked for them', async () => {
    const meta = { 'io.modelcontextprotocol/logLevel': 'info' };
    const messages = await messagesOf(
      await postStateless(served.url, statelessCall(1, 'log', { line: 'hello' }, meta)),
    );
    expect(messages[0]).toMatchObject({ method: 'notifications/message', params: { data: 'hello' } });
    const silent = await postStateless(served.url, statelessCall(2, 'log', { line: 'hello' }));
    expect(silent.headers.get('content-type')).toBe('application/json');
  });

  test('never gets a request from the child, which gets an error instead', async () => {
    expect(await statelessText(served.url, 'ask-anyway')).toContain('-32601');
  });

  test('fails at once when the child dies, and the next one gets a new child', async () => {
    const user = { authorization: 'Bearer unlucky' };
    const pid = Number(await statelessText(served.url, 'pid', {}, user));
    const crashed = await postStateless(served.url, statelessCall(9, 'crash'), user);
    expect(await crashed.json()).toMatchObject({ id: 9, error: { code: -32603, data: { reason: 'child_exited' } } });
    expect(Number(await statelessText(served.url, 'pid', {}, user))).not.toBe(pid);
    expect(served.backend.stats().restarts).toBe(1);
    await until(() => !isRunning(pid));
  });
});

describe('subscriptions/listen', () => {
  const listen = (id: string) =>
    statelessRequest(id, 'subscriptions/listen', { notifications: { toolsListChanged: true } });
  const subscription = (id: string) => ({ params: { _meta: { 'io.modelcontextprotocol/subscriptionId': id } } });

  test('is a stream of its own messages, under its own id', async () => {
    const user = { authorization: 'Bearer listener' };
    const [one, two] = await Promise.all(['a', 'b'].map((id) => postStateless(served.url, listen(id), user)));
    const [a, b] = [eventsOf(one as Response), eventsOf(two as Response)];
    for (const [id, events] of [
      ['a', a],
      ['b', b],
    ] as const) {
      expect(await nextMessage(events)).toMatchObject({
        method: 'notifications/subscriptions/acknowledged',
        ...subscription(id),
      });
    }
    await statelessText(served.url, 'change', {}, user);
    expect(await nextMessage(a)).toMatchObject({ method: 'notifications/tools/list_changed', ...subscription('a') });
    expect(await nextMessage(b)).toMatchObject({ method: 'notifications/tools/list_changed', ...subscription('b') });
    await statelessText(served.url, 'end-subscriptions', {}, user);
    expect(await nextMessage(a)).toMatchObject({ method: 'notifications/cancelled', params: { requestId: 'a' } });
    expect(await messagesOf(two as Response).catch(() => [])).toEqual([]);
  });

  test('ends with a result when the backend is closed', async () => {
    const own = await serve({ env: { STATELESS: '1' } });
    const response = await postStateless(own.url, listen('last'));
    const events = eventsOf(response);
    await nextMessage(events);
    await own.backend.close();
    expect(await nextMessage(events)).toMatchObject({ id: 'last', result: { resultType: 'complete' } });
    await own.stop();
  });
});

describe('a server that speaks older revisions only', () => {
  test('sends clients of 2026-07-28 back to initialize, and serves them then', async () => {
    const withSessions = await serve({ args: [fixture('scripted-server.mjs')] });
    const response = await postStateless(withSessions.url, statelessRequest(1, 'server/discover'));
    expect([response.status, await response.json()]).toMatchObject([400, { id: 1, error: { code: -32000 } }]);
    expect((await post(withSessions.url, initialize())).status).toBe(200);
    expect(withSessions.backend.stats().sessions).toBe(1);
    await withSessions.stop();
  });
});

test('publishes its numbers on a diagnostics channel', async () => {
  const seen: unknown[] = [];
  const listener = (message: unknown): void => void seen.push(message);
  subscribe('express-mcp-auth:stdio', listener);
  const own = await serve({ env: { STATELESS: '1' } });
  await statelessText(own.url, 'pid', {}, { authorization: 'Bearer ada' });
  await until(() => seen.some((numbers) => (numbers as { children: number }).children === 1));
  await own.stop();
  expect(seen.at(-1)).toEqual({ sessions: 0, children: 0, pending: 0, restarts: 0 });
  unsubscribe('express-mcp-auth:stdio', listener);
});
