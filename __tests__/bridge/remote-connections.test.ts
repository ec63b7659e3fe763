import { createServer } from 'node:http';
import express from 'express';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AuthInfo } from '../../src/core/auth-info.js';
import { listen as listenAt, originOf, stop } from '../support/loopback-server.js';
import { messagesOf } from '../support/mcp-answers.js';
import { call, initialize, open, post, postStateless, statelessCall } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { beginEvents, replyJson, serveTarget, startSessionTarget } from '../support/remote-target.js';
import { connectUser, createSdkServer } from '../support/session-servers.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };
const BOB = { authorization: 'Bearer bob' };

async function startSdkServer(sdk: 'v1' | 'v2') {
  const { handle, transports } = createSdkServer(sdk);
  const requests: string[] = [];
  const app = express();
  app.use((req, _res, next) => {
    requests.push(`${req.method} ${req.headers['mcp-session-id'] === undefined ? 'without' : 'with'} session`);
    next();
  });
  app.use('/mcp', handle);
  const server = createServer(app);
  await listenAt(server);
  onTestFinished(() => stop(server));
  return { url: `${originOf(server)}/mcp`, transports, requests };
}

describe.each(['v1', 'v2'] as const)('a remote server of SDK %s, message by message', (sdk) => {
  test.each(['v1', 'v2', 'auto'] as const)('serves a client of SDK %s, with progress and messages', async (client) => {
    const target = await startSdkServer(sdk);
    const { url, backend, lines } = await serveTarget(target.url);
    const user = await connectUser(client, url, ADA);
    expect(await user.work()).toEqual([1, 2, 3]);
    await until(() => user.messages.length === 1);
    expect(user.messages).toEqual([...target.transports.keys()].slice(-1));
    expect(backend.stats()).toMatchObject({ sessions: 1, connections: 1 });
    await user.end();
    await user.close();
    await until(() => backend.stats().connections === 0);
    expect(target.requests).toContain('DELETE with session');
    expect(lines.filter((line) => /^(?:warn|error)/.test(line))).toEqual([]);
  });

  test('serves two users without sessions, each over a session of their own', async () => {
    const target = await startSdkServer(sdk);
    const { url, backend } = await serveTarget(target.url, {}, { sessions: false });
    const users = await Promise.all([ADA, ADA, BOB].map((headers) => connectUser('v1', url, headers)));
    const steps = await Promise.all(users.map((user) => user.work()));
    expect(steps).toEqual(Array(3).fill([1, 2, 3]));
    expect(users.map(({ sessionId }) => sessionId)).toEqual(Array(3).fill(undefined));
    expect([target.transports.size, backend.stats().connections]).toEqual([2, 2]);
    await backend.close();
    expect(target.requests.filter((line) => line === 'DELETE with session')).toHaveLength(2);
  });
});

describe('what reaches a remote server', () => {
  test('is each message byte for byte, and its answer is, but for line ends and a byte order mark', async () => {
    const answer = '{"result":{"n":12345678901234567890,"e":1.0,\n"é":"\\u00e9"},\r\n "id":7,"jsonrpc":"2.0"}';
    const target = await startSessionTarget((_message, res) =>
      res.writeHead(200, { 'content-type': 'application/json' }).end(`\ufeff${answer}`),
    );
    const { url } = await serveTarget(target.url);
    const session = await open(url, ADA);
    const message =
      '{"params":{"name":"x","arguments":{"n":98765432109876543210}}, "method":"tools/call","id":7,"jsonrpc":"2.0"}';
    const response = await post(url, message, session);
    expect(await response.text()).toBe(answer.replace(/[\r\n]/g, ' '));
    expect(target.arrived.at(-1)?.body).toBe(message);
  });

  test('are the headers of MCP and of the target, and no other header of the client', async () => {
    const target = await startSessionTarget(({ id }, res) => replyJson(res, id, {}));
    const { url } = await serveTarget(target.url, { headers: (auth) => ({ 'x-user': auth?.subject }), bearer: 'key' });
    const session = await open(url, { ...ADA, cookie: 'a=b', 'x-other': 'c' });
    await post(url, call(1, 'x'), { ...session, 'mcp-protocol-version': '2025-06-18' });
    const [first, second] = target.arrived.map(({ headers }) => headers);
    const all = {
      accept: 'application/json, text/event-stream',
      'accept-encoding': 'identity',
      authorization: 'Bearer key',
    };
    const common = { ...all, 'content-type': 'application/json', 'x-user': 'ada' };
    const ownOf = ({ host, connection, 'content-length': length, ...headers }: NonNullable<typeof first>) => headers;
    expect(ownOf(first ?? {})).toEqual(common);
    expect(ownOf(second ?? {})).toEqual({
      ...common,
      'mcp-session-id': 'session-1',
      'mcp-protocol-version': '2025-06-18',
    });
  });

  test.each([true, false])('is a notification under the token that it came with (sessions: %s)', async (sessions) => {
    const target = await startSessionTarget(({ id }, res) => replyJson(res, id, {}));
    const headers = (auth: AuthInfo | undefined) => ({ 'x-until': `${auth?.expiresAt}` });
    const { url } = await serveTarget(target.url, { headers }, { sessions });
    const first = await post(url, initialize(), { authorization: 'Bearer ada 8000000001' });
    const id = first.headers.get('mcp-session-id');
    await post(
      url,
      { jsonrpc: '2.0', method: 'notifications/x' },
      { authorization: 'Bearer ada 8000000002', ...(id !== null && { 'mcp-session-id': id }) },
    );
    const arrivedX = () => target.arrived.find(({ body }) => body.includes('notifications/x'));
    await until(() => arrivedX() !== undefined);
    expect(arrivedX()?.headers['x-until']).toBe('8000000002');
  });

  test('is a request of 2026-07-28 with the headers that repeat its body', async () => {
    const target = await startRecordingTarget(({ body }, res) => {
      const { id, method } = JSON.parse(body);
      const inputSchema = { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } };
      const results: Record<string, object> = {
        'server/discover': { supportedVersions: ['2026-07-28'], capabilities: { tools: {} } },
        'tools/list': { tools: [{ name: 'wörk', inputSchema }] },
      };
      replyJson(res, id, results[method] ?? {});
    });
    const { url } = await serveTarget(target.url);
    const message = statelessCall(5, 'wörk', { region: 'eu' });
    const name = `=?base64?${Buffer.from('wörk').toString('base64')}?=`;
    const response = await postStateless(url, message, { ...ADA, 'mcp-name': name, 'mcp-param-region': 'eu' });
    expect(await response.json()).toMatchObject({ id: 5, result: {} });
    const names = target.arrived.map(({ headers }) => headers['mcp-method']);
    expect(names).toEqual(['server/discover', 'tools/list', 'tools/call']);
    expect(target.arrived.at(-1)?.headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-name': name,
      'mcp-param-region': 'eu',
    });
  });

  test('a request of 2026-07-28 ends there when its client hangs up', async () => {
    let ended = 0;
    const target = await startRecordingTarget(({ body }, res) => {
      const { id, method } = JSON.parse(body);
      if (method === 'tools/list') replyJson(res, id, { tools: [] });
      else if (method === 'server/discover') replyJson(res, id, { supportedVersions: ['2026-07-28'] });
      else res.on('close', () => ended++);
    });
    const { url, backend } = await serveTarget(target.url);
    const abort = new AbortController();
    const hanging = postStateless(url, statelessCall(1, 'x'), ADA, abort.signal).catch(() => undefined);
    await until(() => target.arrived.length === 3);
    abort.abort();
    await hanging;
    await until(() => ended === 1);
    expect(target.arrived.map(({ headers }) => headers['mcp-method'])).not.toContain('notifications/cancelled');
    expect(backend.stats()).toMatchObject({ connections: 1, pending: 0 });
  });

  test('is a cancellation, after which the server may leave its answer open', async () => {
    let closed = 0;
    const target = await startSessionTarget(
      (_message, res) => void beginEvents(res, ': open\n\n').on('close', () => closed++),
    );
    const { url } = await serveTarget(target.url);
    const session = await open(url, ADA);
    const hanging = post(url, call('mine', 'x'), session);
    await until(() => target.arrived.length === 2);
    await post(url, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'mine' } }, session);
    expect(await (await hanging).json()).toMatchObject({ id: 'mine', error: { data: { reason: 'cancelled' } } });
    await until(() => closed === 1);
    expect(JSON.parse(target.arrived.at(-1)?.body ?? '')).toMatchObject({ params: { requestId: 'mine' } });
  });

  test('notifications/initialized comes first, and then the stream', async () => {
    let accept = (): void => undefined;
    const accepted = new Promise<void>((resolve) => {
      accept = resolve;
    });
    const target = await startRecordingTarget(async ({ method, body }, res) => {
      if (method === 'GET') return void beginEvents(res, ': open\n\n');
      const { id, method: name, params } = JSON.parse(body);
      if (id !== undefined)
        return replyJson(res, id, name === 'initialize' ? { protocolVersion: params.protocolVersion } : {});
      await accepted;
      return void res.writeHead(202).end();
    });
    const { url } = await serveTarget(target.url);
    const session = await open(url, ADA);
    await post(url, { jsonrpc: '2.0', method: 'notifications/initialized' }, session);
    const called = post(url, call(1, 'x'), session);
    await until(() => target.arrived.length === 2);
    accept();
    expect(await messagesOf(await called)).toMatchObject([{ id: 1, result: {} }]);
    expect(target.arrived.map(({ method, body }) => (method === 'GET' ? 'GET' : JSON.parse(body).method))).toEqual([
      'initialize',
      'notifications/initialized',
      'GET',
      'tools/call',
    ]);
  });
});

test('a session that a client gives up before it is open is ended at the server', async () => {
  const target = await startRecordingTarget(({ method }, res) => {
    res.setHeader('mcp-session-id', 'late');
    if (method === 'DELETE') res.end();
    else setTimeout(() => replyJson(res, 0, { protocolVersion: '2025-06-18' }), 300);
  });
  const { url, backend } = await serveTarget(target.url);
  const abort = new AbortController();
  const opening = post(url, initialize(), ADA, abort.signal).catch(() => undefined);
  await until(() => target.arrived.length === 1);
  abort.abort();
  await opening;
  await until(() => target.arrived.length === 2);
  expect(target.arrived[1]).toMatchObject({ method: 'DELETE', headers: { 'mcp-session-id': 'late' } });
  await until(() => backend.stats().connections === 0);
});

test('ready() says if every remote target answers; close() ends the sessions at the server', async () => {
  const target = await startSessionTarget(({ id }, res) => replyJson(res, id, {}));
  const { url, backend } = await serveTarget(target.url);
  expect(await backend.ready()).toBe(true);
  const sessions = await Promise.all([open(url, ADA), open(url, BOB)]);
  expect(new Set(sessions.map((session) => session['mcp-session-id'])).size).toBe(2);
  await backend.close();
  const ended = target.arrived
    .filter(({ method }) => method === 'DELETE')
    .map(({ headers }) => headers['mcp-session-id']);
  expect(ended.toSorted()).toEqual(['session-1', 'session-2']);
  expect(backend.stats()).toMatchObject({ sessions: 0, connections: 0, pending: 0 });
  expect(await backend.ready()).toBe(false);
  expect((await post(url, initialize(), ADA)).status).toBe(503);
});
