import { expect, test } from 'vitest';
import { call, callText, type Headers, open, post } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { beginEvents, type Message, replyJson } from '../support/remote-target.js';
import { serveTargets } from '../support/several-backend.js';
import { fixture, NODE } from '../support/stdio-bridge.js';

const ADA = { authorization: 'Bearer ada' };
const plain = { command: NODE, args: [fixture('plain-target.mjs')] };
const noteOf = (method: string): object => ({ jsonrpc: '2.0', method });
const requestFor = (method: string, params?: object) => ({ jsonrpc: '2.0', id: method, method, params });

/** A remote server with sessions and a list of two pages, which can forget its sessions and break off each connection. */
async function startForgetfulTarget() {
  const state = { sessions: new Set<string>(), opened: 0, isDown: false };
  const { url, arrived } = await startRecordingTarget(({ method, headers, body }, res, req) => {
    const session = headers['mcp-session-id'] as string | undefined;
    const message = (body === '' ? {} : JSON.parse(body)) as Message;
    if (state.isDown) req.socket.destroy();
    else if (message.method === 'initialize') {
      state.sessions.add(`session-${++state.opened}`);
      res.setHeader('mcp-session-id', `session-${state.opened}`);
      const { protocolVersion } = message.params;
      const capabilities = { tools: {}, logging: {} };
      replyJson(res, message.id, { protocolVersion, capabilities, serverInfo: { name: 'target', version: '1' } });
    } else if (session === undefined || !state.sessions.has(session)) res.writeHead(404).end();
    else if (method === 'DELETE') res.writeHead(state.sessions.delete(session) ? 200 : 404).end();
    else if (method === 'GET') beginEvents(res);
    else if (message.id === undefined) res.writeHead(202).end();
    else if (message.method === 'tools/list') {
      const more = message.params?.cursor === undefined ? { nextCursor: 'more' } : {};
      replyJson(res, message.id, { tools: [{ name: 'x', inputSchema: { type: 'object' } }], ...more });
    } else replyJson(res, message.id, { content: [{ type: 'text', text: session }] });
  });
  const told = (session: string): string[] =>
    arrived.flatMap(({ method, headers, body }) =>
      headers['mcp-session-id'] !== session || method === 'GET' ? [] : [body === '' ? method : JSON.parse(body).method],
    );
  return { url, state, told };
}

async function openSession(url: string): Promise<Headers> {
  const session = await open(url, ADA, '2025-11-25');
  await post(url, noteOf('notifications/initialized'), session);
  await post(url, requestFor('logging/setLevel', { level: 'debug' }), session);
  return session;
}

test('a remote target that has forgotten its session gets another one, with what the client had sent', async () => {
  const target = await startForgetfulTarget();
  const { url, backend } = await serveTargets({ targets: { one: plain, two: { url: target.url } } });
  const session = await openSession(url);
  expect(await callText(url, session, 'two_x')).toBe('session-1');
  // A target that lives for less than a second is not opened again at once.
  await new Promise((resolve) => setTimeout(resolve, 1_050));
  target.state.sessions.clear();
  const refused = (await (await post(url, call(1, 'two_x'), session)).json()) as { error: { data: object } };
  expect(refused.error.data).toEqual({ target: 'two', reason: 'session_ended' });
  expect(await callText(url, session, 'two_x')).toBe('session-2');
  expect(target.told('session-2')).toEqual(['notifications/initialized', 'logging/setLevel', 'tools/call']);
  await backend.close();
  expect([...target.state.sessions]).toEqual([]);
});

test('a remote target that breaks off: its calls name it, lists go on without it, and it is used again', async () => {
  const { lines, logger } = createRecordingLogger();
  const target = await startForgetfulTarget();
  const targets = { one: { ...plain, env: { PAGES: '1' } }, two: { url: target.url } };
  const { url } = await serveTargets({ targets, failureMode: 'failOpen', logger });
  const session = await openSession(url);
  const list = async (cursor?: string) => {
    const response = await post(url, requestFor('tools/list', cursor === undefined ? {} : { cursor }), session);
    const { result } = (await response.json()) as { result: { tools: { name: string }[]; nextCursor: string } };
    return { names: result?.tools.map(({ name }) => name), nextCursor: result?.nextCursor };
  };
  const first = await list();
  expect(first.names).toEqual(['one_echo', 'two_x']);
  target.state.isDown = true;
  const refused = (await (await post(url, call(1, 'two_x'), session)).json()) as { error: { data: object } };
  expect(refused.error.data).toEqual({ target: 'two', reason: 'target_broke_off' });
  expect((await list(first.nextCursor)).names).toEqual(['one_pid']);
  expect(lines).toContainEqual(
    expect.stringMatching(/^warn mcpBackend\(\): target "two": tools\/list failed: The connection to /),
  );
  target.state.isDown = false;
  expect((await list(first.nextCursor)).names).toEqual(['one_pid', 'two_x']);
});
