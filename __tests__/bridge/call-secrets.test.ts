import { describe, expect, test } from 'vitest';
import type { McpStdioBackendOptions } from '../../src/index.js';
import { call, initialize, post } from '../support/mcp-requests.js';
import { ADA, createRecordedCalls, start, WAYS } from '../support/recorded-calls.js';
import { serveTargets } from '../support/several-backend.js';
import { fixture, NODE } from '../support/stdio-bridge.js';
import { subscribeToCalls } from '../support/subscribed-calls.js';

const SECRET = 'marked-as-secret';
/** The test users' tokens. */
const TOKEN = 'secret-token-of-';

/** Calls whose arguments, results and errors have the secret. */
const CALLS: readonly [tool: string, args: object][] = [
  ['echo', { password: SECRET }],
  ['print', { line: `{"jsonrpc":"2.0","id":ID,"error":{"code":1,"message":"${SECRET}","data":"${SECRET}"}}\n` }],
  ['print', { line: `{"jsonrpc":"2.0","id":ID,"error":{"code":"${SECRET}","message":"x"}}\n` }],
  ['print', { line: `{"jsonrpc":"2.0","id":ID,"result":{"isError":true,"content":"${SECRET}"}}\n` }],
  ['print', { line: `{"jsonrpc":"1.0","id":ID,"result":"${SECRET}"}\n` }],
  ['crash', { password: SECRET }],
];

describe.each(Object.entries(WAYS))('of calls %s', (_name, way) => {
  test('no argument, result or token is in a record', async () => {
    const channel = subscribeToCalls();
    const options: Partial<McpStdioBackendOptions> = { ...way.options, env: { ...way.options.env, API_KEY: SECRET } };
    const { url, calls } = await start(options);
    const headers = await way.begin(url);
    for (const [tool, args] of CALLS) await (await way.call(url, headers, tool, args)).text();
    const written = JSON.stringify([calls.records, channel]);
    expect(calls.records.length).toBeGreaterThanOrEqual(CALLS.length);
    expect(channel).toEqual(calls.records);
    expect(written).toContain('"user":"ada"');
    for (const secret of [SECRET, TOKEN]) expect(written).not.toContain(secret);
  });

  test('recordContent alone adds what it returns', async () => {
    const channel = subscribeToCalls();
    const recordContent: McpStdioBackendOptions['recordContent'] = ({ params, result }) => ({
      a: (params.arguments as { a?: unknown } | undefined)?.a,
      text: (result as { content?: [{ text?: string }] } | undefined)?.content?.[0].text,
    });
    const { url, calls } = await start({ ...way.options, recordContent });
    await (await way.call(url, await way.begin(url), 'echo', { a: 1, password: SECRET })).text();
    const { content } = await calls.of('tools/call');
    expect(content).toEqual({ a: 1, text: JSON.stringify({ a: 1, password: SECRET }) });
    expect(JSON.stringify(channel)).not.toContain(SECRET);
    expect(channel.map((record) => 'content' in record)).not.toContain(true);
  });
});

test.each([
  [60_000, 'a result'],
  [70_000, 'no result'],
])('recordContent gets, of a result of %i bytes, %s', async (bytes, expected) => {
  const { url, calls } = await start({
    sessions: false,
    recordContent: ({ result }) => (result === undefined ? 'no result' : 'a result'),
  });
  await (await post(url, call(1, 'big', { bytes }), ADA)).text();
  expect(await calls.of('tools/call')).toMatchObject({ content: expected });
});

test('recordContent gets no result of a call that failed', async () => {
  const { url, calls } = await start({
    sessions: false,
    recordContent: (content) => [Object.keys(content), content.result],
  });
  await (await post(url, call(1, 'crash'), ADA)).text();
  expect(await calls.of('tools/call')).toMatchObject({ content: [['method', 'name', 'params', 'result'], undefined] });
});

test('of several targets, the content is what the client sees', async () => {
  const calls = createRecordedCalls();
  const plain = { command: NODE, args: [fixture('plain-target.mjs')] };
  const { url } = await serveTargets({
    targets: { one: plain, two: plain },
    onCall: calls.onCall,
    recordContent: ({ name, result }) => ({ name, result }),
  });
  const opened = await post(url, initialize(), ADA);
  const { result } = (await opened.json()) as { result: object };
  expect(await calls.of('initialize')).toMatchObject({ content: { result } });
  const session = { ...ADA, 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  const answer = (await (await post(url, call(1, 'two_links'), session)).json()) as { result: object };
  expect(await calls.of('tools/call')).toMatchObject({ content: { name: 'two_links', result: answer.result } });
});
