import express, { type RequestHandler, type Response as ServerAnswer } from 'express';
import { expect, test } from 'vitest';
import {
  type CallRecord,
  type Middleware,
  mcpAuth,
  mcpAuthorization,
  mcpCalls,
  mcpLimits,
  mcpScopes,
} from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { serve } from '../support/loopback-server.js';
import { result, toolCall } from '../support/observed-app.js';
import { until } from '../support/until.js';

const SECOND = { 'mcp-session-id': 'second' };
const cancelled = (requestId: unknown) => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId, reason: 'enough' },
});

type CreateMiddleware = (onCall: (record: CallRecord) => void) => readonly Middleware[];

const CALLS: CreateMiddleware = (onCall) => [mcpCalls({ onCall })];

interface Settings {
  readonly create?: CreateMiddleware;
  readonly policy?: object;
  /** The status of the answers to `notifications/cancelled` and DELETE. */
  readonly status?: number;
  /** Called with the answer of the open call before the server answers these. */
  readonly before?: (open: ServerAnswer) => void;
}

/** An MCP server with sessions in an app, whose calls of tools wait. */
async function startWaitingServer({ create = CALLS, policy, status = 202, before }: Settings = {}) {
  const issuer = createTestIssuer();
  const records: CallRecord[] = [];
  const open: ServerAnswer[] = [];
  const answer: RequestHandler = (req, res) => {
    if (req.method === 'DELETE' || req.body.method !== 'tools/call') {
      for (const each of open) before?.(each);
      res.status(status).end();
      return;
    }
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(': waits\n\n');
    open.push(res);
  };
  const app = express();
  app.use(mcpAuth(issuer.policy({ resource: 'https://mcp.example/mcp', ...policy })));
  app.use('/mcp', ...create((record) => void records.push(record)), answer);
  const url = `${await serve(app)}/mcp`;
  const send = async (message: unknown, headers: object = {}, sub = 'ada') => {
    const token = { authorization: `Bearer ${issuer.token({ sub })}`, 'content-type': 'application/json' };
    const init = message === undefined ? { method: 'DELETE' } : { method: 'POST', body: JSON.stringify(message) };
    const response = await fetch(url, { ...init, headers: { ...token, 'mcp-session-id': 'first', ...headers } });
    return response;
  };
  const call = await send(toolCall(1));
  return {
    records,
    send,
    /** Lets the server answer the call, or end without an answer. */
    async finish(message?: object) {
      for (const each of open) each.end(message && `data: ${JSON.stringify(message)}\n\n`);
      await call.text();
      await until(() => records.length > 0);
    },
  };
}

test.each<[cancels: string, message: unknown, code: string]>([
  ['notifications/cancelled', cancelled(1), 'cancelled'],
  ['notifications/cancelled in a batch', [cancelled(7), cancelled(1)], 'cancelled'],
  ['the end of the session', undefined, 'session_ended'],
])('a call that %s ends is recorded at once as cancelled', async (_cancels, message, code) => {
  const { records, send, finish } = await startWaitingServer();
  expect(records).toEqual([]);
  await send(message);
  await until(() => records.length === 1);
  await finish(result());
  expect(records).toMatchObject([{ name: 'add', outcome: 'cancelled', code, user: 'ada', session: 'first' }]);
  expect(records).toHaveLength(1);
});

test.each<[server: string, message: unknown]>([
  ['notifications/cancelled', cancelled(1)],
  ['the end of the session', undefined],
])('a call is cancelled even if the server ends its answer before it accepts %s', async (_what, message) => {
  const { records, send } = await startWaitingServer({ before: (open) => open.end() });
  await send(message);
  await until(() => records.length === 1);
  expect(records).toMatchObject([{ outcome: 'cancelled' }]);
});

test.each<[middleware: string, CreateMiddleware]>([
  ['mcpScopes()', (onCall) => [mcpScopes({ 'resources/read': ['x'] }, { onCall })]],
  ['mcpAuthorization()', (onCall) => [mcpAuthorization({ rules: ['true'], onCall })]],
  [
    'mcpLimits() and mcpCalls()',
    (onCall) => [mcpLimits([{ per: 'user', tokens: 9, refill: 9, every: '1m' }]), mcpCalls({ onCall })],
  ],
])('%s records a cancelled call too, with one record', async (_middleware, create) => {
  for (const message of [cancelled(1), undefined]) {
    const { records, send, finish } = await startWaitingServer({ create });
    await send(message);
    await finish();
    expect(records).toMatchObject([{ outcome: 'cancelled' }]);
  }
});

test('an id that mcpAuth() signs names the same session', async () => {
  const policy = { secret: 'x'.repeat(32), sessionOwners: 'sign' as const };
  const issuer = createTestIssuer();
  const records: CallRecord[] = [];
  const answer: RequestHandler = (req, res) => {
    if (req.body.method === 'initialize') res.setHeader('mcp-session-id', 'own').json(result());
    else if (req.body.method === 'tools/call')
      res.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n');
    else res.sendStatus(202);
  };
  const app = express().use(mcpAuth(issuer.policy({ resource: 'https://mcp.example/mcp', ...policy })));
  app.use('/mcp', mcpCalls({ onCall: (record) => void records.push(record) }), answer);
  const url = `${await serve(app)}/mcp`;
  const headers = { authorization: `Bearer ${issuer.token()}`, 'content-type': 'application/json' };
  const post = (message: object, id?: string) =>
    fetch(url, {
      method: 'POST',
      body: JSON.stringify(message),
      headers: { ...headers, ...(id && { 'mcp-session-id': id }) },
    });
  const opened = await post({ jsonrpc: '2.0', id: 0, method: 'initialize', params: {} });
  const session = opened.headers.get('mcp-session-id') ?? '';
  const call = await post(toolCall(1), session);
  await post(cancelled(1), session);
  await until(() => records.length === 2);
  expect(records[1]).toMatchObject({ outcome: 'cancelled', session });
  await call.body?.cancel();
});

test.each<[what: string, message: unknown, headers: object, sub: string, settings: Settings]>([
  ['that names another request', cancelled(2), {}, 'ada', {}],
  ['with a text in place of a number', cancelled('1'), {}, 'ada', {}],
  ['that names no request', cancelled(undefined), {}, 'ada', {}],
  ['of another session', cancelled(1), SECOND, 'ada', {}],
  ['of another user', cancelled(1), {}, 'eve', { policy: { sessionOwners: 'off' } }],
  ['of another user, refused by mcpAuth()', cancelled(1), {}, 'eve', {}],
  ['that the server refuses', cancelled(1), {}, 'ada', { status: 404 }],
  ['as the end of another session', undefined, SECOND, 'ada', {}],
  ['as the end of the session by another user', undefined, {}, 'eve', { policy: { sessionOwners: 'off' } }],
  ['as the end of the session, which the server refuses', undefined, {}, 'ada', { status: 405 }],
])('a cancellation %s ends no record', async (_what, message, headers, sub, settings) => {
  const { records, send, finish } = await startWaitingServer(settings);
  await (await send(message, headers, sub)).text();
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(records).toEqual([]);
  await finish();
  expect(records).toMatchObject([{ outcome: 'target_failed' }]);
});

test('a cancellation that comes after the answer changes nothing', async () => {
  const { records, send, finish } = await startWaitingServer({
    before: (open) => void open.write(`data: ${JSON.stringify(result())}\n\n`),
  });
  await send(cancelled(1));
  await finish();
  expect(records).toMatchObject([{ outcome: 'answered' }]);
});

test('a session whose calls have ended is forgotten, and a new call with the same id is another one', async () => {
  const { records, send, finish } = await startWaitingServer();
  await finish(result());
  await send(cancelled(1));
  const again = await send(toolCall(1));
  await send(cancelled(1));
  await until(() => records.length === 2);
  expect(records.map(({ outcome }) => outcome)).toEqual(['answered', 'cancelled']);
  await again.body?.cancel();
});

test('many cancellations of a call in one request add one listener to its answer', async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error) => void warnings.push(warning);
  process.on('warning', warn);
  const { records, send, finish } = await startWaitingServer({
    create: (onCall) => [mcpScopes({ ping: true }, { onCall }), mcpCalls({ onCall })],
  });
  await send(Array.from({ length: 30 }, () => cancelled(1)));
  await until(() => records.length === 1);
  await finish(result());
  process.off('warning', warn);
  expect([records.length, warnings]).toEqual([1, []]);
});
