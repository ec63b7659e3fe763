import { describe, expect, test } from 'vitest';
import type { McpBackendOptions } from '../../src/index.js';
import { freePort } from '../support/loopback-server.js';
import { call, callText, open, post, postStateless, statelessCall, statelessRequest } from '../support/mcp-requests.js';
import { ADA, createRecordedCalls } from '../support/recorded-calls.js';
import { type AnswerCall, replyJson, startSessionTarget } from '../support/remote-target.js';
import { serveTargets } from '../support/several-backend.js';
import { fixture, NODE } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const plain = (env = {}) => ({ command: NODE, args: [fixture('plain-target.mjs')], env });

async function serve(targets: McpBackendOptions['targets'], options: Partial<McpBackendOptions> = {}) {
  const calls = createRecordedCalls();
  const { url, backend } = await serveTargets({ targets, onCall: calls.onCall, ...options });
  return { url, backend, calls };
}

const request = (method: string, params: object = {}) => ({ jsonrpc: '2.0', id: 1, method, params });

const TWO = { one: plain({ NAME: 'one' }), two: plain({ NAME: 'two' }) };
const UNKNOWN = { outcome: 'protocol_error', code: -32602 };
const ANSWERED = { outcome: 'answered', code: undefined };

const ROWS: readonly [what: string, message: { method: string }, record: object][] = [
  ['a tool of the first', call(1, 'one_echo'), { name: 'one_echo', target: 'one', ...ANSWERED }],
  ['a tool of the second', call(1, 'two_echo'), { name: 'two_echo', target: 'two', ...ANSWERED }],
  ['a tool of none', call(1, 'three_echo'), { target: undefined, ...UNKNOWN }],
  ['a tool that the second does not have', request('prompts/get', { name: 'two_x' }), { target: 'two' }],
  ['a resource', request('resources/read', { uri: 'one+note:///1' }), { method: 'resources/read' }],
  ['the list of all tools', request('tools/list'), { target: undefined, ...ANSWERED }],
  ['the list of all prompts', request('prompts/list'), { target: undefined, ...ANSWERED }],
  ['the level of all logs', request('logging/setLevel', { level: 'info' }), { target: undefined }],
  ['ping, which no target gets', request('ping'), { target: undefined, ...ANSWERED }],
  ['an unknown method', request('no/such'), { target: undefined, outcome: 'protocol_error', code: -32601 }],
  ['a program that exits', call(1, 'two_crash'), { target: 'two', outcome: 'target_failed', code: 'child_exited' }],
  [
    'an unreadable answer',
    call(1, 'two_print', { line: '{"jsonrpc":"1.0","id":ID,"result":{}}' }),
    { target: 'two', outcome: 'target_failed', code: 'unreadable_answer' },
  ],
  [
    'a result that says isError',
    call(1, 'two_print', { line: '{"jsonrpc":"2.0","id":ID,"result":{"isError":true,"content":[]}}' }),
    { target: 'two', outcome: 'tool_error' },
  ],
  [
    'an error that claims to be ours',
    call(1, 'two_print', {
      line: '{"jsonrpc":"2.0","id":ID,"error":{"code":-1,"message":"m","data":{"reason":"closing"}}}',
    }),
    { target: 'two', outcome: 'protocol_error', code: -1 },
  ],
];

test.each(ROWS)('the record of a request for %s names the target that got it', async (_what, message, record) => {
  const { url, calls } = await serve(TWO);
  const session = await open(url, ADA);
  const answer = await (await post(url, message, session)).text();
  const found = await calls.of(message.method);
  expect(found).toMatchObject({ ...record, session: session['mcp-session-id'], user: 'ada' });
  expect(found.bytesOut).toBe(Buffer.byteLength(answer));
  expect(calls.records.map(({ method }) => method)).toEqual(['initialize', message.method]);
});

test('a target may have a dot in its name, as in agentgateway', async () => {
  const { url, calls } = await serve({ 'svc.ns': plain({ NAME: 'one' }), svc: plain({ NAME: 'two' }) });
  const session = await open(url, ADA);
  const answers = ['svc.ns_echo', 'svc_echo'].map(async (name, i) => (await post(url, call(i, name), session)).text());
  expect((await Promise.all(answers)).map((text) => /one|two/.exec(text)?.[0])).toEqual(['one', 'two']);
  const read = await post(url, { ...request('resources/read', { uri: 'svc.ns+note:///1' }), id: 3 }, session);
  await read.text();
  expect((await calls.of('resources/read')).target).toBe('svc.ns');
});

test('requests without a session name their target too, and discovery none', async () => {
  const { url, calls } = await serve(TWO);
  await (await postStateless(url, statelessCall(1, 'two_echo'), ADA)).text();
  await (await postStateless(url, statelessRequest(2, 'server/discover'), ADA)).text();
  expect(await calls.of('tools/call')).toMatchObject({ target: 'two', ...ANSWERED });
  expect(await calls.of('server/discover')).toMatchObject({ target: undefined, ...ANSWERED });
});

test('names without prefixes: the lists that are read first are no calls of the client, and do not name a target', async () => {
  const { url, calls } = await serve(
    { one: plain({ PREFIX: 'a_' }), two: plain({ PREFIX: 'b_' }) },
    { prefixMode: 'never' },
  );
  const session = await open(url, ADA);
  await (await post(url, call(1, 'b_echo'), session)).text();
  expect(await calls.of('tools/call')).toMatchObject({ target: 'two', name: 'b_echo' });
  expect(calls.records).toHaveLength(2);
});

test('a list fails with the fault of one target, and names none', async () => {
  const { url, calls } = await serve({ one: plain(), two: plain() });
  const session = await open(url, ADA);
  const crash = post(url, call(1, 'two_crash'), session);
  await (await crash).text();
  const record = await calls.of('tools/call');
  expect(record).toMatchObject({ target: 'two', outcome: 'target_failed' });
  // It is not started again within a second.
  await (await post(url, request('tools/list'), session)).text();
  expect(await calls.of('tools/list')).toMatchObject({
    target: undefined,
    outcome: 'target_failed',
    code: 'child_exited',
  });
});

test('shutdown ends the calls in flight', async () => {
  const { url, backend, calls } = await serve(TWO);
  const session = await open(url, ADA);
  const hanging = post(url, call(1, 'one_hang'), session);
  await until(() => backend.stats().pending === 1);
  await backend.close();
  await (await hanging).text();
  expect(await calls.of('tools/call')).toMatchObject({ target: 'one', outcome: 'cancelled', code: 'closing' });
});

const REMOTE: Readonly<Record<string, { readonly answer: AnswerCall; readonly record: object }>> = {
  'a result': { answer: ({ id }, res) => replyJson(res, id, { content: [] }), record: ANSWERED },
  isError: {
    answer: ({ id }, res) => replyJson(res, id, { content: [], isError: true }),
    record: { outcome: 'tool_error' },
  },
  'status 500': {
    answer: (_message, res) => void res.writeHead(500).end(),
    record: { outcome: 'target_failed', code: 'target_failed' },
  },
  'status 400 and an error': {
    answer: (_message, res) =>
      void res
        .writeHead(400, { 'content-type': 'application/json' })
        .end('{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"no"}}'),
    record: { outcome: 'protocol_error', code: -32000 },
  },
  'a connection that breaks': {
    answer: (_message, res) => void res.destroy(),
    record: { outcome: 'target_failed', code: 'target_broke_off' },
  },
  'something malformed': {
    answer: (_message, res) => void res.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
    record: { outcome: 'target_failed', code: 'target_malformed' },
  },
};

describe.each(Object.entries(REMOTE))('a remote target that answers with %s', (_what, { answer, record }) => {
  test.each([true, false])('is recorded as such, alone: %s', async (isAlone) => {
    const { url: remote } = await startSessionTarget(answer);
    const { url, calls } = await serve({ remote: { url: remote }, ...(isAlone ? {} : { one: plain() }) });
    const session = await open(url, ADA);
    const response = await post(url, call(1, isAlone ? 'echo' : 'remote_echo'), session);
    const bytesOut = Buffer.byteLength(await response.text());
    expect(await calls.of('tools/call')).toMatchObject({ target: 'remote', bytesOut, ...record });
  });
});

test('a single target has its name in the record', async () => {
  const { url, calls } = await serve({ only: plain() });
  await (await post(url, call(1, 'echo'), await open(url, ADA))).text();
  expect(await calls.of('tools/call')).toMatchObject({ target: 'only', ...ANSWERED });
});

test('a remote server that cannot be reached has failed', async () => {
  const { url, calls } = await serve({ remote: { url: `http://127.0.0.1:${await freePort()}/mcp` } });
  await (await post(url, { ...request('initialize'), params: { protocolVersion: '2025-06-18' } }, ADA)).text();
  expect(await calls.of('initialize')).toMatchObject({ outcome: 'target_failed', code: 'target_unreachable' });
});

test("prefixMode 'never': a tool that a target lists for one user is known after it has listed its tools for another", async () => {
  const toolsOf = (...names: string[]) => JSON.stringify(names.map((name) => ({ name, inputSchema: {} })));
  const env = (auth: { subject?: string | undefined } | undefined) => ({
    TOOLS: auth?.subject === 'ada' ? toolsOf('echo', 'meta') : toolsOf('echo'),
  });
  const targets = { one: { ...plain(), env }, two: plain({ PREFIX: 'x' }) };
  const { url } = await serve(targets, { prefixMode: 'never' });
  const [ada, bob] = [await open(url, ADA), await open(url, { authorization: 'Bearer bob' })];
  for (const session of [ada, bob]) await (await post(url, request('tools/list'), session)).text();
  expect(await callText(url, ada, 'meta')).toBe('{}');
});
