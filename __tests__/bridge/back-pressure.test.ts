import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { call, callText, JSON_HEADERS, modern, modernText, open, post, postModern } from '../support/mcp-requests.js';
import { serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const big = 'x'.repeat(1_000_000);
const notification = { jsonrpc: '2.0', method: 'notifications/x', params: { big } };
const bare = ({ id: _, ...rest }: ReturnType<typeof modern>) => rest as ReturnType<typeof modern>;

const counted = (statuses: readonly (number | undefined)[]): Record<number, number> => {
  const counts: Record<number, number> = {};
  for (const status of statuses) counts[status ?? 0] = (counts[status ?? 0] ?? 0) + 1;
  return counts;
};

/** Where a child says that it naps; it reads on once that is gone. */
function napFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nap-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'naps');
}

/** The answers to all; the child naps until so many of them have been refused. */
async function answersDuring(file: string, posts: readonly Promise<number | undefined>[], refusals: number) {
  const statuses: (number | undefined)[] = [];
  const all = Promise.all(posts.map(async (each) => void statuses.push(await each)));
  await until(() => statuses.filter((status) => status === 429).length >= refusals);
  rmSync(file);
  await all;
  return counted(statuses);
}

const statusOf = async (response: Promise<Response>): Promise<number> => (await response).status;

test('of those who wait until a child reads on, no more than may be in flight do', async () => {
  const { url, stop } = await serve({ maxPendingRequests: 4 });
  const session = await open(url);
  const file = napFile();
  const nap = post(url, call(1, 'napBeside', { file }), session);
  await until(() => existsSync(file));
  await post(url, notification, session);
  const posts = Array.from({ length: 12 }, () => statusOf(post(url, notification, session)));
  expect(await answersDuring(file, posts, 8)).toEqual({ 202: 4, 429: 8 });
  expect(await (await nap).json()).toMatchObject({ id: 1, result: {} });
  expect(JSON.parse(await callText(url, session, 'received'))).toHaveLength(5);
  await stop();
});

test('the same holds for a child that is shared', async () => {
  const { url, stop } = await serve({ maxPendingRequests: 4, anonymousRequests: 'shared', env: { MODERN: '1' } });
  await modernText(url, 'pid');
  const file = napFile();
  const nap = modernText(url, 'napBeside', { file });
  await until(() => existsSync(file));
  const message = bare(modern(0, 'notifications/x', { big }));
  await postModern(url, message);
  const posts = Array.from({ length: 12 }, () => statusOf(postModern(url, message)));
  expect(await answersDuring(file, posts, 8)).toEqual({ 202: 4, 429: 8 });
  expect(await nap).toBe('awake');
  await stop();
});

test('those who were let in together hold no more than a few bodies', async () => {
  const { url, server, stop } = await serve();
  const session = await open(url);
  const file = napFile();
  const nap = post(url, call(1, 'napBeside', { file }), session);
  await until(() => existsSync(file));
  let arrived = 0;
  let read = 0;
  server.on('request', (req: IncomingMessage) => {
    arrived++;
    req.on('end', () => read++);
  });
  const body = JSON.stringify({ ...notification, params: { big: 'x'.repeat(4_000_000) } });
  const requests = Array.from({ length: 12 }, () =>
    request(url, { method: 'POST', headers: { ...JSON_HEADERS, ...session } }),
  );
  const posts = requests.map(async (each) => {
    const [response] = (await once(each, 'response')) as [IncomingMessage];
    return response.resume().statusCode;
  });
  for (const each of requests) each.flushHeaders();
  await until(() => arrived >= 12);
  // One after the other: bodies that are still arriving are counted apart.
  for (const [index, each] of requests.entries()) {
    each.end(body);
    await until(() => read > index);
  }
  expect(await answersDuring(file, posts, 7)).toEqual({ 202: 5, 429: 7 });
  expect(await (await nap).json()).toMatchObject({ id: 1, result: {} });
  await stop();
});
