import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { reasonOf } from '../support/mcp-answers.js';
import { call, initialize, open as openSession, post } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { beginEvents, type Message, replyJson, serveTarget } from '../support/remote-target.js';
import { serveTargets } from '../support/several-backend.js';
import { fixture, NODE } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };
const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' };
const ERROR = { code: -32000, message: 'Bad Request: No valid session ID provided' };
const plain = { command: NODE, args: [fixture('plain-target.mjs')] };

type Refusal = (res: ServerResponse, id?: unknown) => void;

const refuseWith =
  (member: object, status = 400): Refusal =>
  (res) =>
    void res
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', error: ERROR, ...member }));

const ownId: Refusal = (res, id) => refuseWith({ id })(res);
const text: Refusal = (res) => void res.writeHead(400).end('Bad Request');

/** Answers of servers that do not know a session. Others refuse a bad request with them. */
const REFUSALS: readonly [how: string, refuse: Refusal, whenKnown: object][] = [
  ['400 and the id null', refuseWith({ id: null }), ERROR],
  ['400 and no id', refuseWith({}), ERROR],
  ['400 and the id "server-error"', refuseWith({ id: 'server-error' }), ERROR],
  ['400 and a text', text, { data: { reason: 'target_malformed' } }],
  ['410', (res) => void res.writeHead(410).end(), { data: { reason: 'target_malformed' } }],
];

/** A remote server that refuses some calls, forgets its sessions, and may have a stream for each. */
async function startForgetful(refuse: Refusal, ping?: Refusal) {
  const state = { sessions: new Set<unknown>(), opened: 0, hasStreams: false };
  const target = await startRecordingTarget(({ method, headers, body }, res) => {
    const message = (body === '' ? {} : JSON.parse(body)) as Message;
    if (message.method === 'initialize') {
      state.sessions.add(`session-${++state.opened}`);
      res.setHeader('mcp-session-id', `session-${state.opened}`);
      const { protocolVersion } = message.params;
      replyJson(res, message.id, { protocolVersion, capabilities: { tools: {} }, serverInfo: {} });
    } else if (!state.sessions.has(headers['mcp-session-id'])) refuse(res, message.id);
    else if (method === 'GET') state.hasStreams ? beginEvents(res, 'retry: 10\n\n') : res.writeHead(405).end();
    else if (method !== 'POST' || message.id === undefined) res.writeHead(202).end();
    else if (message.method === 'ping' && ping !== undefined) ping(res, message.id);
    else if (message.params?.name === 'bad') refuse(res, message.id);
    else replyJson(res, message.id, { tools: [], content: [] });
  });
  const count = (name: string) => target.arrived.filter(({ body }) => body.includes(`"method":"${name}"`)).length;
  return { ...target, state, count };
}

/** Opens a session in which the server has answered a request. */
async function open(url: string, headers: typeof ADA) {
  const session = await openSession(url, headers);
  await post(url, INITIALIZED, session);
  await (await post(url, { jsonrpc: '2.0', id: 'list', method: 'tools/list' }, session)).text();
  return session;
}

const textOf = async (response: Response) => (await response.json()) as { result?: object; error?: object };

describe.each(REFUSALS)('a remote server that answers %s', (_how, refuse, whenKnown) => {
  test('and no longer knows the session ends it, and sends no call again', async () => {
    const target = await startForgetful(refuse);
    const { url, backend, lines } = await serveTarget(target.url);
    const session = await open(url, ADA);
    target.state.sessions.clear();
    expect(await reasonOf(await post(url, call(1, 'x'), session))).toBe('session_ended');
    expect((await post(url, call(2, 'x'), session)).status).toBe(404);
    expect(await textOf(await post(url, call(3, 'x'), await open(url, ADA)))).toMatchObject({ result: {} });
    expect(backend.stats()).toMatchObject({ sessions: 1, connections: 1 });
    expect([target.count('tools/call'), target.count('ping')]).toEqual([2, 1]);
    expect(lines[0]).toMatch(/^info .* the MCP server no longer knows a session: it has restarted/);
    expect(lines.filter((line) => !line.startsWith('info'))).toEqual([]);
  });

  test('to one call fails that call, in a session that goes on', async () => {
    const target = await startForgetful(refuse);
    const { url } = await serveTarget(target.url);
    const session = await open(url, ADA);
    expect(await textOf(await post(url, call('mine', 'bad'), session))).toMatchObject({ id: 'mine', error: whenKnown });
    expect(await textOf(await post(url, call(2, 'x'), session))).toMatchObject({ result: {} });
  });
});

test('an error with the id of the request is its answer, even if it is about the session', async () => {
  const target = await startForgetful(ownId);
  const { url, backend } = await serveTarget(target.url);
  const session = await open(url, ADA);
  const bad = await textOf(await post(url, call('mine', 'bad'), session));
  expect(bad).toEqual({ jsonrpc: '2.0', error: ERROR, id: 'mine' });
  expect(await textOf(await post(url, call(2, 'x'), session))).toMatchObject({ result: {} });
  target.state.sessions.clear();
  expect(await textOf(await post(url, call(3, 'x'), session))).toMatchObject({ error: ERROR });
  await until(() => backend.stats().sessions === 0);
});

test.each<[how: string, ping: Refusal]>([
  ['does not know the method', (res, id) => void replyJson(res, id, undefined)],
  [
    'answers 400 that it does not know the method',
    (res, id) =>
      void res.writeHead(400).end(JSON.stringify({ id, error: { code: -32601, message: 'No such method' } })),
  ],
  ['answers 401', (res) => void res.writeHead(401).end()],
  ['answers 503', (res) => void res.writeHead(503).end()],
  ['breaks off', (res) => void res.destroy()],
])('a session goes on if the server refuses a call and then, to ping, %s', async (_how, ping) => {
  const target = await startForgetful(text, ping);
  const { url } = await serveTarget(target.url);
  const session = await open(url, ADA);
  expect(await reasonOf(await post(url, call(1, 'bad'), session))).toBe('target_malformed');
  expect(await textOf(await post(url, call(2, 'x'), session))).toMatchObject({ result: {} });
});

test('a server that refuses all messages after initialize does not count as restarted: its words reach the client', async () => {
  const target = await startForgetful(
    refuseWith({ id: null, error: { code: -32000, message: 'X-Tenant is missing' } }),
  );
  const { url, lines } = await serveTarget(target.url);
  const session = await openSession(url, ADA);
  target.state.sessions.clear();
  await post(url, INITIALIZED, session);
  const answer = await textOf(await post(url, call(1, 'x'), session));
  expect(answer).toMatchObject({ id: 1, error: { message: 'X-Tenant is missing' } });
  expect(lines.filter((line) => line.includes('restarted'))).toEqual([]);
});

test('many calls that are refused at a time ask about the session once', async () => {
  const target = await startForgetful(text, (res, id) => void setTimeout(() => replyJson(res, id, {}), 300));
  const { url } = await serveTarget(target.url);
  const session = await open(url, ADA);
  const answers = await Promise.all([1, 2, 3, 4, 5].map((id) => post(url, call(id, 'bad'), session).then(reasonOf)));
  expect(answers).toEqual(Array(5).fill('target_malformed'));
  expect(target.count('ping')).toBe(1);
});

test('a notification and an event stream that are refused with 400 end a session that the server has forgotten', async () => {
  for (const how of ['notification', 'stream']) {
    const target = await startForgetful(text);
    target.state.hasStreams = how === 'stream';
    const { url, backend, lines } = await serveTarget(target.url);
    const session = await open(url, ADA);
    await until(() => target.arrived.some(({ method }) => method === 'GET'));
    target.state.sessions.clear();
    if (how === 'stream') target.server.closeAllConnections();
    else await post(url, { jsonrpc: '2.0', method: 'notifications/roots/list_changed' }, session);
    await until(() => backend.stats().sessions === 0);
    expect(lines.filter((line) => line.includes('GET'))).toEqual([]);
  }
});

/** Calls a server ten times that answers `refuse` to all but `initialize`. */
async function callAlways(refuse: Refusal, options: { readonly sessions?: false }, name: string, others: object) {
  const target = await startForgetful(refuse);
  const { url } = await serveTargets({ targets: { one: { url: target.url }, ...others }, ...options });
  const answer = await post(url, initialize(), ADA);
  const session = { ...ADA, 'mcp-session-id': answer.headers.get('mcp-session-id') ?? '' };
  await answer.text();
  const begin = performance.now();
  for (let id = 1; id <= 10; id++) {
    target.state.sessions.clear();
    await (await post(url, call(id, name), options.sessions === false ? ADA : session)).text();
  }
  return { opened: target.state.opened, seconds: (performance.now() - begin) / 1_000 };
}

const notFound: Refusal = (res) => void res.writeHead(404).end();

test.each([
  ['400', text],
  ['404', notFound],
])('a remote target that answers %s to all but initialize is not opened in a loop', async (_status, refuse) => {
  const several = await callAlways(refuse, {}, 'one_x', { two: plain });
  expect(several.opened).toBeLessThanOrEqual(2 + several.seconds);
  const shared = await callAlways(refuse, { sessions: false }, 'x', {});
  expect(shared.opened).toBeLessThanOrEqual(12);
});
