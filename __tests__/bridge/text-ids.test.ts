import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { McpBackendOptions } from '../../src/index.js';
import { serveRemote } from '../support/http-backend.js';
import { eventsOf, messagesOf, nextMessage } from '../support/mcp-answers.js';
import {
  call,
  callText,
  initialize,
  open,
  post,
  postStateless,
  statelessCall,
  statelessRequest,
} from '../support/mcp-requests.js';
import { createRecordedCalls } from '../support/recorded-calls.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { replyJson, serveTarget } from '../support/remote-target.js';
import { serveTargets } from '../support/several-backend.js';
import { fixture, NODE, type Served, serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

// Some servers repeat the id 7 as "7". The clients of the TypeScript and Python SDKs take that for the answer.

let served: Served;
beforeAll(async () => {
  served = await serve({ env: { STATELESS: '1' }, maxMessageBytes: 10_000, maxSessionsPerUser: 100 });
});
afterAll(() => served.stop());

const SHORT = { content: [{ type: 'text', text: 'short' }] };
const answer = (id: string) => `{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(SHORT)}}\n`;

/** Ids of a request, the id that the answer of a program has, and whether the program means this request. */
const SPELLINGS: readonly [sent: string | number, answered: string, isMeant: boolean][] = [
  [7, '"7"', true],
  [0, '"0"', true],
  [-3, '"-3"', true],
  [9_007_199_254_740_991, '"9007199254740991"', true],
  [7, '"\\u0037"', true],
  [7, '"07"', false],
  [7, '"+7"', false],
  [7, '" 7"', false],
  [7, '"7.0"', false],
  [7, '"7e0"', false],
  [7, '"0x7"', false],
  [0, '""', false],
  [0, '"-0"', false],
  [1.5, '"1.5"', false],
  [9_007_199_254_740_992, '"9007199254740992"', false],
  [7, '"8"', false],
  ['7', '7', false],
  ['07', '7', false],
  ['', '0', false],
];

test.each(SPELLINGS)(
  'a request with the id %j, answered under %s: this is taken for its answer: %j',
  async (sent, id, isMeant) => {
    const session = await open(served.url);
    const message = call(sent, 'print', { line: answer(id), answer: true });
    const { result, ...rest } = (await (await post(served.url, message, session)).json()) as Record<string, unknown>;
    const text = isMeant ? 'short' : 'after it';
    expect([result, rest]).toEqual([{ content: [{ type: 'text', text }] }, { jsonrpc: '2.0', id: sent }]);
  },
);

test('an answer to "7" is that to the request "7", and not to 7, which is in flight too', async () => {
  const session = await open(served.url);
  const hanging = post(served.url, call('7', 'hang'), session);
  await until(async () => served.backend.stats().pending === 1);
  const other = await post(served.url, call(7, 'print', { line: answer('"7"'), answer: true }), session);
  expect(await other.json()).toMatchObject({ id: 7, result: { content: [{ text: 'after it' }] } });
  expect(await (await hanging).json()).toEqual({ jsonrpc: '2.0', id: '7', result: SHORT });
});

test('a client that cancels "7" does not cancel 7', async () => {
  const session = await open(served.url);
  const hanging = post(served.url, call(7, 'hang'), session);
  await until(async () => served.backend.stats().pending === 1);
  await post(served.url, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: '7' } }, session);
  expect(await callText(served.url, session, 'cancelled')).toBe('["7"]');
  expect(served.backend.stats().pending).toBe(1);
  await post(served.url, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } }, session);
  await hanging;
});

const TOO_LONG = `{"jsonrpc":"2.0","id":"ID","result":{"text":"${'x'.repeat(20_000)}"}}\n`;
const FAILURES: readonly [what: string, line: string, reason: string][] = [
  ['too long', TOO_LONG, 'message_too_large'],
  ['not JSON-RPC', '{"jsonrpc":"1.0","id":"ID","result":{}}\n', 'unreadable_answer'],
];

test.each(FAILURES)('an answer under the id as text that is %s fails its call', async (_what, line, reason) => {
  const session = await open(served.url);
  const response = await post(served.url, call(7, 'print', { line }), session);
  expect(await response.json()).toMatchObject({ id: 7, error: { data: { reason } } });
  const target = { command: NODE, args: [fixture('plain-target.mjs')] };
  const { url } = await serveTargets({ targets: { a: target, b: target }, maxMessageBytes: 10_000 });
  const ofTwo = await post(url, call(7, 'a_print', { line: line.trimEnd() }), await open(url));
  expect(await ofTwo.json()).toMatchObject({ id: 7, error: { data: { reason } } });
});

test('a program that answers `initialize` under its id as text opens the session', async () => {
  const line = '{"jsonrpc":"2.0","id":"ID","result":RESULT}\n';
  const strict = await serve({ env: { PRINT_AT_START: line } });
  onTestFinished(() => strict.stop());
  const response = await post(strict.url, initialize('2025-11-25', 0));
  expect(await response.json()).toMatchObject({ id: 0, result: { protocolVersion: '2025-11-25' } });
});

const PROGRESS = '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"ID","progress":1}}\n';

test('without a session, progress and the answer reach the request under its own id and token', async () => {
  const line = `${PROGRESS}${answer('"ID"')}`;
  const message = statelessCall('mine', 'print', { line }, { progressToken: 'token' });
  expect(await messagesOf(await postStateless(served.url, message))).toEqual([
    { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'token', progress: 1 } },
    { jsonrpc: '2.0', id: 'mine', result: SHORT },
  ]);
});

test('in a session, progress under the token as text comes on the stream of its request', async () => {
  const session = await open(served.url);
  const message = call(7, 'print', { line: `${PROGRESS}${answer('7')}` }, { progressToken: 7 });
  const messages = await messagesOf(await post(served.url, message, session));
  expect(messages[0]).toMatchObject({ method: 'notifications/progress', params: { progressToken: '7' } });
});

test('with several targets, too; and no target answers for another one', async () => {
  const target = { command: NODE, args: [fixture('plain-target.mjs')] };
  const { url } = await serveTargets({ targets: { a: target, b: target } });
  const session = await open(url);
  const line = `${PROGRESS}${answer('"ID"')}`.trimEnd();
  const messages = await messagesOf(await post(url, call(7, 'a_print', { line }, { progressToken: 'token' }), session));
  expect(messages).toEqual([
    { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'token', progress: 1 } },
    { jsonrpc: '2.0', id: 7, result: SHORT },
  ]);
  const hangUp = new AbortController();
  const hanging = post(url, call(8, 'a_hang', {}, { progressToken: 8 }), session, hangUp.signal);
  const ids = Array.from({ length: 30 }, (_, index) => `${index}`);
  const forging = (await (await post(url, call(9, 'b_answer', { ids }), session)).json()) as { id: number };
  expect(forging.id).toBe(9);
  expect(await Promise.race([hanging, callText(url, session, 'b_echo')])).toBe('plain {}');
  hangUp.abort();
  await hanging.catch(() => undefined);
});

/** A remote server that answers every request under its id as text. */
async function startRemote(): Promise<string> {
  const { url } = await startRecordingTarget(({ method: verb, body }, res) => {
    if (verb !== 'POST') return void res.writeHead(405).end();
    const { id, method, params } = JSON.parse(body);
    const stateless = { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: {} };
    if (id === undefined) res.writeHead(202).end();
    else if (method === 'server/discover') replyJson(res, `${id}`, stateless);
    else if (method === 'initialize')
      replyJson(res, `${id}`, { protocolVersion: params.protocolVersion, capabilities: {} });
    else replyJson(res, `${id}`, SHORT);
  });
  return url;
}

const COUNTS: readonly [string, (url: string) => Partial<McpBackendOptions>, string][] = [
  ['alone', () => ({}), 'echo'],
  ['one of two', (url) => ({ targets: { a: { url }, b: { url } } }), 'a_echo'],
];

describe.each(COUNTS)('a remote server, %s, that answers under ids as text', (_count, options, tool) => {
  test('serves sessions', async () => {
    const target = await startRemote();
    const { url } = await serveTarget(target, {}, options(target));
    const response = await post(url, call(7, tool), await open(url));
    expect(await response.json()).toEqual({ jsonrpc: '2.0', id: 7, result: SHORT });
  });

  test('serves clients of 2026-07-28', async () => {
    const target = await startRemote();
    const { url } = await serveTarget(target, {}, options(target));
    const response = await postStateless(url, statelessCall(7, tool));
    expect(await response.json()).toEqual({ jsonrpc: '2.0', id: 7, result: SHORT });
  });
});

test('the record of a call that a remote server answers under its id as text: it was answered', async () => {
  const calls = createRecordedCalls();
  const { url, bearer } = await serveRemote(await startRemote(), { onCall: calls.onCall });
  await (await post(url, call(7, 'echo'), bearer('ada'))).text();
  expect(await calls.of('tools/call')).toMatchObject({ outcome: 'answered', name: 'echo' });
});

test('a subscription gets what a program sends under its id as text', async () => {
  const user = { authorization: 'Bearer listener' };
  const listens = statelessRequest('mine', 'subscriptions/listen', { notifications: { toolsListChanged: true } });
  const events = eventsOf(await postStateless(served.url, listens, user));
  const { params } = (await nextMessage(events)) as { params: { _meta: object } };
  expect(params._meta).toEqual({ 'io.modelcontextprotocol/subscriptionId': 'mine' });
  const meta = '{"io.modelcontextprotocol/subscriptionId":"1"}';
  const lines = [0, 1, 2, 3, 4].map(
    (id) =>
      `{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"_meta":${meta.replace('1', `${id}`)}}}\n`,
  );
  const print = statelessCall(1, 'print', { line: lines.join(''), answer: true });
  await (await postStateless(served.url, print, user)).text();
  expect(await nextMessage(events)).toMatchObject({
    method: 'notifications/tools/list_changed',
    params: { _meta: params._meta },
  });
});
