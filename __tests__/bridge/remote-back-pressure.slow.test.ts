import { request } from 'node:http';
import { expect, test } from 'vitest';
import { call, JSON_HEADERS, open, post } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { beginEvents, replyJson, serveTarget, startSessionTarget } from '../support/remote-target.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };
const MEBIBYTE = 1_048_576;

test('a client that does not read slows its remote server down, and is served when it reads', async () => {
  let written = 0;
  let isBlocked = false;
  const target = await startSessionTarget(async ({ id, params }, res) => {
    if (params.name !== 'flood') return replyJson(res, id, {});
    beginEvents(res);
    const event = `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { data: 'x'.repeat(65_536) } })}\n\n`;
    for (; written < 100 * MEBIBYTE; written += event.length) {
      if (res.write(event)) continue;
      isBlocked = true;
      await new Promise((resolve) => res.once('drain', resolve));
      isBlocked = false;
    }
    return void res.end(`data: {"jsonrpc":"2.0","id":${id},"result":{}}\n\n`);
  });
  const { url } = await serveTarget(target.url);
  const session = await open(url, ADA);
  const flooded = request(url, { method: 'POST', headers: { ...JSON_HEADERS, ...session } });
  const answered = new Promise<import('node:http').IncomingMessage>((resolve) => flooded.on('response', resolve));
  flooded.end(JSON.stringify(call(1, 'flood')));
  const response = await answered;
  response.pause();
  let before = -1;
  await until(async () => {
    const isStill = isBlocked && written === before;
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return isStill;
  });
  expect(written).toBeLessThan(30 * MEBIBYTE);
  let read = 0;
  let tail = '';
  for await (const chunk of response) {
    read += chunk.length;
    tail = (tail + chunk.toString('latin1')).slice(-200);
  }
  expect(read).toBeGreaterThan(100 * MEBIBYTE);
  expect(tail).toContain('"result":{}');
  expect(await (await post(url, call(2, 'x'), session)).json()).toMatchObject({ id: 2 });
}, 60_000);

test('messages that a remote server does not begin to answer fill no more than a few bodies of memory', async () => {
  const waiting: (() => void)[] = [];
  const target = await startSessionTarget(({ id }, res) => void waiting.push(() => replyJson(res, id, {})));
  const { url } = await serveTarget(target.url, {}, { maxBodyBytes: 5 * MEBIBYTE });
  const session = await open(url, ADA);
  const answers = [1, 2, 3, 4, 5, 6].map((id) => post(url, call(id, 'x', { text: 'x'.repeat(4 * MEBIBYTE) }), session));
  await until(() => waiting.length === 4);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(waiting).toHaveLength(4);
  for (let answered = 0; answered < 6; answered++) {
    await until(() => waiting.length > answered);
    waiting[answered]?.();
  }
  const statuses = await Promise.all(answers.map(async (answer) => (await answer).status));
  expect(statuses).toEqual(Array(6).fill(200));
});

test('notifications that a remote server does not accept fill no more than a few bodies of memory', async () => {
  const target = await startRecordingTarget(({ method, body }, res) => {
    if (method === 'DELETE') return void res.writeHead(200).end();
    if (method === 'GET') return void res.writeHead(405).end();
    const { id, method: called, params } = JSON.parse(body);
    if (called === 'initialize') replyJson(res, id, { protocolVersion: params.protocolVersion, capabilities: {} });
    else if (called === 'notifications/initialized') res.writeHead(202).end();
  });
  const { url } = await serveTarget(target.url, {}, { requestTimeoutSeconds: 8 });
  const session = await open(url, ADA);
  const statuses: number[] = [];
  for (let sent = 0; sent < 20; sent++) {
    const params = { data: 'x'.repeat(MEBIBYTE) };
    const { status } = await post(url, { jsonrpc: '2.0', method: 'notifications/x', params }, session);
    statuses.push(status);
    if (status !== 202) break;
  }
  expect(statuses).toEqual([...Array(16).fill(202), 504]);
});
