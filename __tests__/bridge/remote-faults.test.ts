import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { unreachableUrl } from '../support/loopback-server.js';
import { reasonOf } from '../support/mcp-answers.js';
import { call, initialize, open, post, postStateless, statelessRequest } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { beginEvents, replyJson, serveTarget, startSessionTarget } from '../support/remote-target.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };

type Fault = (res: ServerResponse, id: unknown) => void;

const FAULTS: readonly [how: string, fault: Fault, status: number, reason: string][] = [
  ['answers 401', (res) => res.writeHead(401).end(), 502, 'target_refused'],
  ['answers 307', (res) => res.writeHead(307, { location: 'https://evil.example' }).end(), 502, 'target_redirected'],
  ['answers 503', (res) => res.writeHead(503).end('stack'), 502, 'target_failed'],
  ['answers 400 with text', (res) => res.writeHead(400).end('bad'), 502, 'target_malformed'],
  ['answers 202', (res) => res.writeHead(202).end(), 502, 'target_malformed'],
  ['packs its answer', (res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end('x'), 502, 'target_malformed'],
  ['breaks off', (res) => res.destroy(), 502, 'target_broke_off'],
  ['ends an event stream without an answer', (res) => beginEvents(res, ': nothing\n\n').end(), 502, 'target_broke_off'],
  [
    'breaks off an event stream',
    (res) => beginEvents(res, ': x\n\n') && setTimeout(() => res.destroy(), 20),
    502,
    'target_broke_off',
  ],
  ['sends too much', (res, id) => replyJson(res, id, { text: 'x'.repeat(2_000) }), 502, 'message_too_large'],
];

describe.each(FAULTS)('a remote server that %s', (_how, fault, status, reason) => {
  const options = { maxMessageBytes: 1_000, startTimeoutSeconds: 5 };

  test(`cannot be opened: ${status} ${reason}`, async () => {
    const target = await startRecordingTarget(({ body }, res) => fault(res, body === '' ? 0 : JSON.parse(body).id));
    const { url, backend, lines } = await serveTarget(target.url, {}, options);
    const response = await post(url, initialize('2025-06-18', 'mine'), ADA);
    expect([response.status, await response.json()]).toMatchObject([
      status,
      { id: 'mine', error: { data: { reason } } },
    ]);
    expect(response.headers.get('mcp-session-id')).toBeNull();
    await until(() => backend.stats().connections === 0);
    if (reason.startsWith('target_')) {
      expect(lines).toEqual([
        expect.stringMatching(new RegExp(`^error mcpBackend\\(\\): one: ${target.url}: .*\\(${reason}\\)`)),
      ]);
    }
  });

  test('fails a call of a session that goes on', async () => {
    const target = await startSessionTarget(({ id, params }, res) => {
      if (params.name === 'bad') fault(res, id);
      else replyJson(res, id, {});
    });
    const { url } = await serveTarget(target.url, {}, options);
    const session = await open(url, ADA);
    const response = await post(url, call('mine', 'bad'), session);
    expect([response.status, await response.json()]).toMatchObject([200, { id: 'mine', error: { data: { reason } } }]);
    expect(await (await post(url, call(2, 'good'), session)).json()).toMatchObject({ id: 2, result: {} });
  });
});

test('a remote server that is down fails every request, and is used again when it is up', async () => {
  const { url, backend } = await serveTarget(await unreachableUrl());
  for (const message of [initialize('2025-06-18', 1), initialize('2025-06-18', 2)]) {
    const response = await post(url, message, ADA);
    expect([response.status, await reasonOf(response)]).toEqual([502, 'target_unreachable']);
  }
  const discover = await postStateless(url, statelessRequest(1, 'server/discover'), ADA);
  expect([discover.status, await reasonOf(discover)]).toEqual([502, 'target_unreachable']);
  expect(await backend.ready()).toBe(false);
  await until(() => backend.stats().connections === 0);
});

test('a session that the remote server no longer knows is unknown, and another one can be opened', async () => {
  const target = await startSessionTarget((_message, res) => res.writeHead(404).end());
  const { url, backend } = await serveTarget(target.url);
  const session = await open(url, ADA);
  expect(await reasonOf(await post(url, call(1, 'x'), session))).toBe('session_ended');
  expect((await post(url, call(2, 'x'), session)).status).toBe(404);
  await open(url, ADA);
  expect(backend.stats()).toMatchObject({ sessions: 1, connections: 1 });
  expect(target.arrived.some(({ method }) => method === 'DELETE')).toBe(false);
});

test('a session id that is not valid in a header is refused', async () => {
  const target = await startRecordingTarget((_arrived, res) => {
    res.setHeader('mcp-session-id', 'a b');
    replyJson(res, 0, { protocolVersion: '2025-06-18' });
  });
  const { url } = await serveTarget(target.url);
  expect(await reasonOf(await post(url, initialize(), ADA))).toBe('target_malformed');
});
