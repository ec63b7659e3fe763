import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { expect, it } from 'vitest';
import { call, callText, JSON_HEADERS, modern, modernText, open, post, postModern, serve, until } from './support.js';

const big = 'x'.repeat(1_000_000);
const notification = { jsonrpc: '2.0', method: 'notifications/x', params: { big } };
const bare = ({ id: _, ...rest }: ReturnType<typeof modern>) => rest as ReturnType<typeof modern>;

const counted = (answers: readonly Response[]): Record<number, number> => {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

it('of those who wait until a child reads on, no more than may be in flight do', async () => {
  const { url, stop } = await serve({ maxPendingRequests: 4 });
  const session = await open(url);
  const nap = post(url, call(1, 'nap', { ms: 2_000 }), session);
  await post(url, notification, session);
  const answers = await Promise.all(Array.from({ length: 12 }, () => post(url, notification, session)));
  expect(counted(answers)).toEqual({ 202: 4, 429: 8 });
  expect(await (await nap).json()).toMatchObject({ id: 1, result: {} });
  expect(JSON.parse(await callText(url, session, 'received'))).toHaveLength(5);
  await stop();
});

it('the same holds for a child that is shared', async () => {
  const { url, stop } = await serve({ maxPendingRequests: 4, env: { MODERN: '1' } });
  await modernText(url, 'pid');
  const nap = modernText(url, 'nap', { ms: 2_000 });
  const message = bare(modern(0, 'notifications/x', { big }));
  await postModern(url, message);
  const answers = await Promise.all(Array.from({ length: 12 }, () => postModern(url, message)));
  expect(counted(answers)).toEqual({ 202: 4, 429: 8 });
  expect(await nap).toBe('awake');
  await stop();
});

it('those whose bodies came at once hold no more than a few of them', async () => {
  const { url, server, stop } = await serve();
  const session = await open(url);
  const nap = post(url, call(1, 'nap', { ms: 2_000 }), session);
  let arrived = 0;
  server.on('request', () => arrived++);
  const body = JSON.stringify({ ...notification, params: { big: 'x'.repeat(4_000_000) } });
  const requests = Array.from({ length: 12 }, () =>
    request(url, { method: 'POST', headers: { ...JSON_HEADERS, ...session } }),
  );
  const answers = Promise.all(requests.map(async (each) => (await once(each, 'response')) as [IncomingMessage]));
  for (const each of requests) each.flushHeaders();
  await until(() => arrived >= 12);
  for (const each of requests) each.end(body);
  const statuses = (await answers).map(([response]) => response.resume().statusCode);
  expect(statuses.filter((status) => status === 202)).toHaveLength(5);
  expect(statuses.filter((status) => status === 429)).toHaveLength(7);
  expect(await (await nap).json()).toMatchObject({ id: 1, result: {} });
  await stop();
});

it('nobody waits for longer than a request may take', async () => {
  const { url, stop } = await serve({ requestTimeoutSeconds: 1 });
  const session = await open(url);
  void post(url, call(1, 'nap', { ms: 30_000 }), session);
  await post(url, notification, session);
  const response = await post(url, notification, session);
  expect(response.status).toBe(504);
  expect(await response.json()).toMatchObject({ error: { data: { reason: 'request_timed_out' } } });
  await stop();
});
