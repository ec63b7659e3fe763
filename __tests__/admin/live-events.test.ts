import { channel } from 'node:diagnostics_channel';
import { expect, test } from 'vitest';
import { servePageAlone } from '../support/admin-app.js';
import { publishCall } from '../support/call-records.js';

const calls = channel('express-mcp-auth:call');

test('without a page or after close() nothing listens for calls', async () => {
  expect(calls.hasSubscribers).toBe(false);
  const { admin } = await servePageAlone();
  expect(calls.hasSubscribers).toBe(true);
  admin.close();
  expect(calls.hasSubscribers).toBe(false);
});

test('of more than 50 events in a second the rest is counted, and failures are shown first', async () => {
  const { events } = await servePageAlone();
  const stream = await events();
  await stream.next('numbers');
  for (let i = 0; i < 2_000; i++) publishCall({ name: `echo ${i}` });
  publishCall({ outcome: 'denied' });
  expect(await stream.next('call', ({ outcome }) => outcome === 'denied')).toMatchObject({ outcome: 'denied' });
  const { seen, shown } = (await stream.next('sampled')) as { seen: number; shown: number };
  expect([seen, shown]).toEqual([2_001, 31]);
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
