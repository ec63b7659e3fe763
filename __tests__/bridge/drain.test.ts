import { setTimeout } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Middleware, mcpBackend, mcpHttpBackend, mcpStdioBackend } from '../../src/index.js';
import { eventsOf, nextMessage, reasonOf } from '../support/mcp-answers.js';
import {
  call,
  initialize,
  open,
  post,
  postStateless,
  statelessCall,
  statelessRequest,
} from '../support/mcp-requests.js';
import { NODE, SCRIPTED, serveBackend } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';
import { makeWaitingCall, startWaitingTarget } from '../support/waiting-call.js';

const child = { command: NODE, args: [SCRIPTED], env: { STATELESS: '1' } };

const BACKENDS = {
  'mcpStdioBackend()': async () => mcpStdioBackend(child),
  'mcpBackend() with a program': async () => mcpBackend({ targets: { one: child } }),
  'mcpBackend() with a remote server': async () =>
    mcpBackend({ targets: { one: { url: await startWaitingTarget() } } }),
  'mcpHttpBackend()': async () => mcpHttpBackend({ url: await startWaitingTarget() }),
};

async function serve(name: keyof typeof BACKENDS, before: readonly Middleware[] = []) {
  const served = await serveBackend(await BACKENDS[name](), 'Express 5', before);
  onTestFinished(served.stop);
  return served;
}

const listen = (url: string, headers: Readonly<Record<string, string>>) =>
  fetch(url, { headers: { ...headers, accept: 'text/event-stream' } });

describe.each(Object.keys(BACKENDS) as (keyof typeof BACKENDS)[])('drain() of %s', (name) => {
  test('waits for the answer of a call, and ends the stream of its session after it', async () => {
    const { url, backend } = await serve(name);
    const session = await open(url);
    const stream = await listen(url, session);
    const waiting = await makeWaitingCall();
    const answer = post(url, waiting.message, session);
    await until(waiting.isRunning);
    const over: string[] = [];
    void stream.text().then(() => over.push('stream'));
    void answer.then(() => over.push('answer'));
    const drained = backend.drain(10).then(() => over.push('drain'));
    expect((await post(url, initialize())).status).toBe(503);
    expect(over).toEqual([]);
    await waiting.release();
    await drained;
    expect([(await answer).status, await reasonOf(await answer)]).toEqual([200, undefined]);
    await until(() => over.length === 3);
  });

  test('refuses new sessions and idle streams with 503, and serves the sessions that are open', async () => {
    const { url, backend } = await serve(name);
    const session = await open(url);
    const stream = await listen(url, session);
    await backend.drain(10);
    // It ends by itself.
    await stream.text();
    const [opening, listening] = [await post(url, initialize()), await listen(url, session)];
    for (const refused of [opening, listening]) {
      const { headers } = refused;
      expect([refused.status, headers.get('retry-after'), headers.get('connection')]).toEqual([503, '10', 'close']);
      expect(await reasonOf(refused)).toBe('closing');
    }
    expect((await post(url, call(2, 'echo'), session)).status).toBe(200);
  });

  test('does not wait for a request whose client left before the backend saw it', async () => {
    const events: string[] = [];
    const lateToBackend: Middleware = (_req, res, next) => {
      events.push('arrived');
      res.once('close', () => {
        setImmediate(() => {
          events.push('passed on');
          next();
        });
      });
    };
    const { url, backend } = await serve(name, [lateToBackend]);
    const abort = new AbortController();
    const given = post(url, initialize(), {}, abort.signal).catch(() => undefined);
    await until(() => events.includes('arrived'));
    abort.abort();
    await given;
    await until(() => events.includes('passed on'));
    const before = performance.now();
    await backend.drain(10);
    expect(performance.now() - before).toBeLessThan(8_000);
  });

  test('resolves after the given time if an answer takes longer', async () => {
    const { url, backend } = await serve(name);
    const session = await open(url);
    const waiting = await makeWaitingCall();
    const answer = post(url, waiting.message, session);
    await until(waiting.isRunning);
    await backend.drain(0.05);
    expect(backend.stats().pending).toBe(1);
    await waiting.release();
    expect((await answer).status).toBe(200);
  });

  test.each([-1, Number.NaN, 86_401, '10'])('refuses %j as its time, and goes on as before', async (seconds) => {
    const { url, backend } = await serve(name);
    await expect(backend.drain(seconds as number)).rejects.toThrow('drain() takes a number of seconds from 0 to 86400');
    expect((await post(url, initialize())).status).toBe(200);
  });
});

test('drain() lets calls without a session finish, and ends a subscription with its result', async () => {
  const { url, backend } = await serve('mcpStdioBackend()');
  const params = { notifications: { toolsListChanged: true } };
  const subscription = await postStateless(url, statelessRequest('s', 'subscriptions/listen', params));
  const events = eventsOf(subscription);
  await nextMessage(events);
  const waiting = await makeWaitingCall();
  const answer = postStateless(url, statelessCall(1, 'napBeside', waiting.args));
  await until(waiting.isRunning);
  const drained = backend.drain(10);
  await waiting.release();
  await drained;
  expect((await answer).status).toBe(200);
  expect(await nextMessage(events)).toMatchObject({ id: 's', result: { resultType: 'complete' } });
  expect((await postStateless(url, statelessCall(2, 'echo'))).status).toBe(200);
});

test('drain() refuses initialize where clients are served without sessions', async () => {
  const served = await serveBackend(
    mcpBackend({ targets: { one: child }, sessions: false, anonymousRequests: 'shared' }),
  );
  onTestFinished(served.stop);
  await served.backend.drain(10);
  expect(await reasonOf(await post(served.url, initialize()))).toBe('closing');
  expect((await post(served.url, call(1, 'echo'))).status).toBe(200);
});

/** A call whose connection has broken. It is answered when its file is deleted, and its stream can be resumed. */
async function makeBrokenCall() {
  const ends: string[] = [];
  const record: Middleware = ({ method = '' }, res, next) => {
    res.once('close', () => ends.push(method));
    next();
  };
  const { url, backend } = await serve('mcpStdioBackend()', [record]);
  const session = await open(url, {}, '2025-11-25');
  const waiting = await makeWaitingCall();
  const hangUp = new AbortController();
  const headers = { ...session, accept: 'text/event-stream' };
  const events = eventsOf(await post(url, waiting.message, headers, hangUp.signal));
  const id = String((await events.next()).value?.id);
  await until(waiting.isRunning);
  const before = ends.length;
  hangUp.abort();
  await events.return(undefined).catch(() => undefined);
  await until(() => ends.length > before);
  const resume = () => fetch(url, { headers: { ...headers, 'last-event-id': id } });
  return { url, backend, session, release: waiting.release, resume };
}

describe('drain() while a client without a connection has not fetched its answer', () => {
  test('waits until the client has come back and taken it', async () => {
    const { url, backend, session, release, resume } = await makeBrokenCall();
    const over: string[] = [];
    const drained = backend.drain(20).then(() => over.push('drain'));
    await release();
    await until(() => backend.stats().pending === 0);
    await setTimeout(300);
    expect(over).toEqual([]);
    const before = performance.now();
    expect(await (await resume()).text()).toContain('"result"');
    await drained;
    expect(performance.now() - before).toBeLessThan(3_000);
    expect((await listen(url, session)).status).toBe(503);
  });

  test('lets the client fetch it while a call of another session is in flight', async () => {
    const { url, backend, release, resume } = await makeBrokenCall();
    const other = await open(url);
    const waiting = await makeWaitingCall();
    const answer = post(url, waiting.message, other);
    await until(waiting.isRunning);
    await release();
    await until(() => backend.stats().pending === 1);
    const drained = backend.drain(20);
    const resumed = await resume();
    expect([resumed.status, (await resumed.text()).includes('"result"')]).toEqual([200, true]);
    await waiting.release();
    await drained;
    expect((await answer).status).toBe(200);
  });
});
