import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { mcpAdmin } from '../../src/admin/mcp-admin.js';
import { adminPageAt, servePageAlone } from '../support/admin-app.js';
import { publishCall, publishDecision } from '../support/call-records.js';
import { serve } from '../support/loopback-server.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { collectUncaught } from '../support/uncaught-errors.js';
import { until } from '../support/until.js';

const calls = channel('express-mcp-auth:call');

test('without a page or after close() nothing listens for calls', async () => {
  expect(calls.hasSubscribers).toBe(false);
  const { admin } = await servePageAlone();
  expect(calls.hasSubscribers).toBe(true);
  admin.close();
  expect(calls.hasSubscribers).toBe(false);
});

test('a stream begins with the id of the server, which another one does not have', async () => {
  const [one, other] = [await servePageAlone(), await servePageAlone()];
  const idOf = async ({ events }: typeof one) => (await (await events()).next('server')).id;
  const id = await idOf(one);
  expect(id).toMatch(/^[\w-]{36}$/);
  expect(await idOf(one)).toBe(id);
  expect(await idOf(other)).not.toBe(id);
});

test('of more than 20 calls in a second the rest is counted, and a failed one is shown', async () => {
  const { events } = await servePageAlone();
  const stream = await events();
  await stream.next('numbers');
  for (let i = 0; i < 2_000; i++) publishCall({ name: `echo ${i}` });
  publishCall({ outcome: 'denied' });
  expect(await stream.next('call', ({ outcome }) => outcome === 'denied')).toMatchObject({ outcome: 'denied' });
  const { seen, shown } = (await stream.next('sampled')) as { seen: number; shown: number };
  expect([seen, shown]).toEqual([2_001, 21]);
  expect(await stream.next('numbers')).toMatchObject({ calls: 2_001, refused: 1, errors: 0, p50: 3, p95: 3 });
  publishCall({ name: 'after' });
  expect(await stream.next('call')).toMatchObject({ name: 'after' });
});

test('a page that connects gets the last 200 calls, in their order', async () => {
  const { events } = await servePageAlone();
  for (let i = 0; i < 450; i++) publishCall({ name: `echo ${i}` });
  const stream = await events();
  const names: unknown[] = [];
  while (names.length < 200) names.push((await stream.next('call')).name);
  expect(names).toEqual(Array.from({ length: 200 }, (_, i) => `echo ${250 + i}`));
});

test('a page that connects gets fewer of the last calls if they are long', async () => {
  const { events } = await servePageAlone();
  const long = '\u0001'.repeat(300);
  for (let i = 0; i < 200; i++)
    publishCall({
      time: i,
      name: long,
      route: long,
      user: long,
      client: long,
      issuer: long,
      target: long,
    });
  const stream = await events();
  const times: unknown[] = [];
  do times.push((await stream.next('call')).time);
  while (times.at(-1) !== 199);
  expect(times.length).toBeLessThan(60);
  expect(times).toEqual(times.map((_, i) => 200 - times.length + i));
});

test.each(['a_later_code', 'constructor', '__proto__'])(
  'a decision with an unknown code is shown: %s',
  async (code) => {
    const { events } = await servePageAlone();
    publishDecision({ outcome: 'would_refuse', code });
    expect(await (await events()).next('decision')).toMatchObject({
      text: `Let the request pass, although something is wrong: ${code}`,
      strict: `Strict mode would answer an error: ${code}`,
    });
  },
);

test('pages that left before they were let in do not count as connected', async () => {
  const arrived: (() => void)[] = [];
  const admin = mcpAdmin({ authorize: () => new Promise((resolve) => void arrived.push(() => resolve(true))) });
  onTestFinished(() => admin.close());
  const closed: Promise<unknown>[] = [];
  const url = await serve((req, res) => {
    closed.push(once(res, 'close'));
    admin(req, res, () => undefined);
  });
  for (let i = 1; i <= 20; i++) {
    const leaving = new AbortController();
    const asked = fetch(`${url}/api/events`, { signal: leaving.signal }).catch(() => undefined);
    await until(() => arrived.length === i);
    leaving.abort();
    await asked;
  }
  await Promise.all(closed);
  for (const letIn of arrived) letIn();
  const last = fetch(`${url}/api/events`);
  await until(() => arrived.length === 21);
  arrived[20]?.();
  const { status, body } = await last;
  expect(status).toBe(200);
  await body?.cancel();
});

test('an application may end the stream of a page itself, and others go on', async () => {
  const admin = mcpAdmin({ authorize: 'loopback' });
  onTestFinished(() => admin.close());
  const answers: ServerResponse[] = [];
  const url = await serve((req, res) => {
    answers.push(res);
    admin(req, res, () => undefined);
  });
  const { events } = adminPageAt(`${url}/`);
  const [ended, other] = [await events(), await events()];
  answers[0]?.end();
  publishCall({ name: 'after' });
  expect(await other.next('call')).toMatchObject({ name: 'after' });
  expect(await ended.rest()).not.toContain('after');
});

test('texts that clients chose are shortened, and the content of a record is left out', async () => {
  const { events } = await servePageAlone();
  publishCall({ name: 'x'.repeat(100_000), content: { secret: 'value' } });
  const { name, content } = await (await events()).next('call');
  expect(name).toBe(`${'x'.repeat(300)}…`);
  expect(content).toBeUndefined();
});

test('percentiles are those of the second', async () => {
  const { events } = await servePageAlone();
  const stream = await events();
  await stream.next('numbers');
  for (let i = 1; i <= 100; i++) publishCall({ durationMs: i, outcome: i > 90 ? 'tool_error' : 'answered' });
  const numbers = await stream.next('numbers', ({ calls: count }) => count !== 0);
  expect(numbers).toMatchObject({ calls: 100, errors: 10, p50: 50, p95: 95 });
  expect(await stream.next('numbers')).toEqual({
    id: expect.any(Number),
    time: expect.any(Number),
    calls: 0,
    errors: 0,
    refused: 0,
    sessions: 0,
    pending: 0,
  });
});

test('at most 20 pages are connected at once', async () => {
  const { events, get } = await servePageAlone();
  for (let i = 0; i < 20; i++) await events();
  expect(await get('api/events')).toMatchObject({ status: 503, body: { error: 'too_many_pages' } });
});

test('a page to which a function of the application does not let us write is cut off; others get their events', async () => {
  const uncaught = collectUncaught();
  const { lines, logger } = createRecordingLogger();
  const admin = mcpAdmin({ authorize: 'loopback', backends: {}, logger });
  onTestFinished(() => admin.close());
  let isArmed = false;
  const url = await serve((req, res) => {
    const { write } = res;
    res.write = ((...args: Parameters<typeof write>) => {
      if (isArmed && req.headers['x-throws'] !== undefined) throw new RangeError('the listener failed');
      return write.apply(res, args);
    }) as typeof write;
    admin(req, res, () => undefined);
  });
  const connect = (headers = {}) => fetch(`${url}/api/events`, { headers });
  const [broken, other] = await Promise.all([connect({ 'x-throws': 'write' }), connect()]);
  isArmed = true;
  const read = other.body?.pipeThrough(new TextDecoderStream()).getReader();
  publishCall({ name: 'first' });
  await expect(broken.text()).rejects.toThrow();
  let text = '';
  while (!text.includes('first')) text += (await read?.read())?.value;
  expect(lines).toEqual(['error mcpAdmin(): the admin page lost its events: RangeError']);
  await read?.cancel();
  expect(uncaught).toEqual([]);
});
