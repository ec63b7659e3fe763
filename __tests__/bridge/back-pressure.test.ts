import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  call,
  callText,
  JSON_HEADERS,
  open,
  post,
  postStateless,
  statelessRequest,
  statelessText,
} from '../support/mcp-requests.js';
import { serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const big = 'x'.repeat(1_000_000);
const notification = { jsonrpc: '2.0', method: 'notifications/x', params: { big } };
const bare = ({ id: _, ...rest }: ReturnType<typeof statelessRequest>) => rest as ReturnType<typeof statelessRequest>;

const counted = (statuses: readonly (number | undefined)[]): Record<number, number> => {
  const counts: Record<number, number> = {};
  for (const status of statuses) counts[status ?? 0] = (counts[status ?? 0] ?? 0) + 1;
  return counts;
};

/** The path of a file that a child creates when it naps. It reads on when the file is gone. */
function napFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nap-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'naps');
}

/** Counts the statuses of all posts; the child naps until `refusals` of them have been refused. */
async function answersDuring(file: string, posts: readonly Promise<number | undefined>[], refusals: number) {
  const statuses: (number | undefined)[] = [];
  const all = Promise.all(posts.map(async (each) => void statuses.push(await each)));
  await until(() => statuses.filter((status) => status === 429).length >= refusals);
  rmSync(file);
  await all;
  return counted(statuses);
}

const statusOf = async (response: Promise<Response>): Promise<number> => (await response).status;

test('no more requests wait for a child that is slow to read than may be in flight', async () => {
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

test('no more requests wait for a shared child than may be in flight', async () => {
  const { url, stop } = await serve({ maxPendingRequests: 4, anonymousRequests: 'shared', env: { STATELESS: '1' } });
  await statelessText(url, 'pid');
  const file = napFile();
  const nap = statelessText(url, 'napBeside', { file });
  await until(() => existsSync(file));
  const message = bare(statelessRequest(0, 'notifications/x', { big }));
  await postStateless(url, message);
  const posts = Array.from({ length: 12 }, () => statusOf(postStateless(url, message)));
  expect(await answersDuring(file, posts, 8)).toEqual({ 202: 4, 429: 8 });
  expect(await nap).toBe('awake');
  await stop();
});

test('requests that arrive together keep no more than a few bodies in memory', async () => {
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
  // One after the other: bodies that are still arriving have a limit of their own.
  for (const [index, each] of requests.entries()) {
    each.end(body);
    await until(() => read > index);
  }
  expect(await answersDuring(file, posts, 7)).toEqual({ 202: 5, 429: 7 });
  expect(await (await nap).json()).toMatchObject({ id: 1, result: {} });
  await stop();
});
