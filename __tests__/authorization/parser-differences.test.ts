import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { gzipSync } from 'node:zlib';
import express from 'express';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import type { Middleware } from '../../src/index.js';
import { serve } from '../support/loopback-server.js';
import { callTool, createScopedApp, readResource } from '../support/scoped-app.js';

const RULES = {
  'tools/call': { delete_file: ['files:write'] },
  'resources/read': { 'file:///secret/*': ['files:secret'] },
};

const call = (params: string, rest = '"method":"tools/call"') => `{"jsonrpc":"2.0","id":1,${rest},"params":${params}}`;

const ambiguous: [what: string, body: string][] = [
  ['a name twice', call('{"name":"echo","name":"delete_file"}')],
  ['a name twice, once escaped', call('{"name":"echo","n\\u0061me":"delete_file"}')],
  ['a method twice', call('{"name":"delete_file"}', '"method":"ping","method":"tools/call"')],
  [
    'params twice',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"},"params":{"name":"delete_file"}}`,
  ],
  ['a member twice, deep in the arguments', call('{"name":"echo","arguments":{"a":{"b":1,"b":2}}}')],
  ['a name in other capitals beside it', call('{"name":"echo","Name":"delete_file"}')],
  ['a name in other capitals alone', call('{"NAME":"delete_file"}')],
  ['a method in other capitals', call('{"name":"delete_file"}', '"method":"ping","Method":"tools/call"')],
  [
    'params with a long s',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"},"param\u017f":{"name":"delete_file"}}`,
  ],
  ['arguments in other capitals', call('{"name":"echo","Arguments":{}}')],
  ['a name that is not a string', call('{"name":["delete_file"]}')],
  ['a name that is an object', call('{"name":{"toString":"delete_file"}}')],
  ['no name', call('{}')],
  ['no params', '{"jsonrpc":"2.0","id":1,"method":"tools/call"}'],
  ['params by position', call('["delete_file"]')],
  ['params that are null', call('null')],
  ['a name with a NUL', call('"delete_file\\u0000x"'.replace(/^/, '{"name":').concat('}'))],
  ...['%00', '%2500', '%252500', '%c0%80', '%C0%80', '%25c0%2580'].map((nul): [string, string] => [
    `a URI with ${nul}`,
    call(`{"uri":"file:///secret${nul}x"}`, '"method":"resources/read"'),
  ]),
  ['a name with a line break', call('{"name":"delete_file\\n"}')],
  ['a method that is not a string', call('{"name":"delete_file"}', '"method":["tools/call"]')],
  ['a byte order mark', `\ufeff${call('{"name":"delete_file"}')}`],
  ['a comment', `/**/${call('{"name":"delete_file"}')}`],
  ['two messages in a row', `${call('{"name":"echo"}')}${call('{"name":"delete_file"}')}`],
  ['a batch within a batch', `[[${call('{"name":"delete_file"}')}]]`],
  ['an empty batch', '[]'],
  ['a batch with null', '[null]'],
  ['neither a call nor a response', '{"jsonrpc":"2.0","id":1,"method ":"tools/call"}'],
  ['a string', '"tools/call"'],
  ['null', 'null'],
  ['nothing', ''],
  ['a form', 'method=tools/call&name=delete_file'],
  ['200,000 nested lists', '['.repeat(200_000) + ']'.repeat(200_000)],
  ['nesting in the arguments', call(`{"name":"echo","arguments":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)],
];

test.each(ambiguous)('%s is answered 400 and does not reach the server', async (_what, body) => {
  const { post, received } = createScopedApp(RULES);
  const response = await post(body);
  expect(response.status).toBe(400);
  expect(response.body).toMatchObject({
    jsonrpc: '2.0',
    id: null,
    error: { code: expect.any(Number), data: { reason: expect.any(String) } },
  });
  expect(response.text, 'nothing of the body is repeated').not.toContain('delete_file');
  expect(received).toEqual([]);
});

test.each(ambiguous.filter(([what]) => what.includes('twice')))('%s is JSON, and ambiguous', async (_what, body) => {
  const { post } = createScopedApp(RULES);
  const { error } = (await post(body)).body;
  expect({ code: error.code, reason: error.data.reason }).toEqual({ code: -32600, reason: 'ambiguous_message' });
});

test.each(['', '{', '{"a":1,"a":2}x', '/**/{"a":1,"a":2}', '\ufeff{}'])('%j is not JSON', async (body) => {
  const { post } = createScopedApp(RULES);
  const { error } = (await post(body)).body;
  expect({ code: error.code, reason: error.data.reason }).toEqual({ code: -32700, reason: 'malformed_json' });
});

test.each(['{"id":1,"method":"tools/call","params":{"name":"%"}}', call('{"name":"%"}').replace('2.0', '1.0')])(
  'rules decide without "jsonrpc": %s',
  async (message) => {
    const { post, received } = createScopedApp(RULES);
    expect((await post(message.replace('%', 'delete_file'))).status).toBe(403);
    expect((await post(message.replace('%', 'echo'))).status).toBe(200);
    expect(received.length).toBe(1);
  },
);

test('a name that is not valid UTF-8 is answered 400', async () => {
  const { post, received } = createScopedApp(RULES);
  const [start, end] = call('{"name":"delete_file%"}').split('%') as [string, string];
  const response = await post(Buffer.concat([Buffer.from(start), Buffer.from([0xc0, 0x80]), Buffer.from(end)]));
  expect(response.status).toBe(400);
  expect(received).toEqual([]);
});

test('a batch of 1,001 messages is answered 413 before the rules are applied', async () => {
  const { post, received } = createScopedApp(RULES);
  const response = await post(Array.from({ length: 1001 }, () => readResource('file:///%25/a')));
  expect(response.status).toBe(413);
  expect(response.body.error.data).toEqual({ reason: 'too_many_messages' });
  expect(received).toEqual([]);
});

describe('headers that a router in front may rely on', () => {
  const echo = callTool('echo');
  const encoded = (name: string) => `=?base64?${Buffer.from(name).toString('base64')}?=`;
  const TASK_METHODS = ['tasks/get', 'tasks/update', 'tasks/result', 'tasks/cancel'];
  const task = (method: string, taskId?: unknown) => ({ jsonrpc: '2.0', id: 1, method, params: { taskId } });

  test.each<[string, unknown, Record<string, string>, number]>([
    ['the same', echo, { 'mcp-method': 'tools/call', 'mcp-name': 'echo' }, 200],
    ['the same, encoded', callTool('é'), { 'mcp-method': 'tools/call', 'mcp-name': encoded('é') }, 200],
    ['another name', callTool('delete_file'), { 'mcp-method': 'tools/call', 'mcp-name': 'echo' }, 400],
    ['another name, encoded', callTool('delete_file'), { 'mcp-name': encoded('echo') }, 400],
    ['another name, encoded without padding', echo, { 'mcp-name': '=?base64?ZGVsZXRlX2ZpbGU?=' }, 400],
    ['the same, encoded without padding', callTool('delete_file'), { 'mcp-name': '=?base64?ZGVsZXRlX2ZpbGU?=' }, 400],
    ['two names', echo, { 'mcp-name': 'echo, echo' }, 400],
    ['another method', echo, { 'mcp-method': 'ping' }, 400],
    ...TASK_METHODS.flatMap((method): [string, unknown, Record<string, string>, number][] => [
      [`${method} of the same task`, task(method, '7'), { 'mcp-method': method, 'mcp-name': '7' }, 200],
      [`${method} of the same task, encoded`, task(method, 'ä'), { 'mcp-name': encoded('ä') }, 200],
      [`${method} of another task`, task(method, '7'), { 'mcp-name': '8' }, 400],
      [`${method} of a task that is a number`, task(method, 7), { 'mcp-name': '7' }, 400],
      [`${method} of no task`, task(method), { 'mcp-name': '7' }, 400],
      [`${method} without the header`, task(method, '7'), {}, 200],
    ]),
    ['a task in other capitals', { ...task('tasks/get'), params: { TaskId: '7' } }, {}, 400],
    ['a list of tasks, which names none', task('tasks/list'), { 'mcp-name': 'a' }, 200],
    ['a batch', [echo, echo], { 'mcp-method': 'tools/call', 'mcp-name': 'echo' }, 400],
    ['a response', { jsonrpc: '2.0', id: 1, result: {} }, { 'mcp-method': 'tools/call' }, 400],
  ])('%s', async (_what, message, headers, status) => {
    const { post, received } = createScopedApp(RULES);
    const response = await post(message, ['files:write'], headers);
    expect(response.status).toBe(status);
    expect(received.length).toBe(status === 200 ? 1 : 0);
    if (status === 400 && Object.keys(headers).length > 0)
      expect(response.body.error).toMatchObject({ code: -32020, data: { reason: 'header_mismatch' } });
  });
});

describe('encodings and types', () => {
  const body = JSON.stringify(callTool('delete_file'));

  test.each<[string, string | Buffer, Record<string, string>, number]>([
    ['gzip', gzipSync(body), { 'content-encoding': 'gzip' }, 415],
    ['an unknown coding', body, { 'content-encoding': 'x' }, 415],
    ['another type', body, { 'content-type': 'text/plain' }, 415],
    ['UTF-16', Buffer.from(body, 'utf16le'), { 'content-type': 'application/json; charset=utf-16le' }, 415],
    ['UTF-16 that is not declared', Buffer.from(body, 'utf16le'), {}, 400],
    ['UTF-7', body, { 'content-type': 'application/json; charset=utf-7' }, 415],
    ['UTF-7 to a reader that allows a space there', body, { 'content-type': 'application/json; charset =utf-7' }, 415],
    ['UTF-8 by name', body, { 'content-type': 'application/json; charset="UTF-8"' }, 403],
    ['identity', body, { 'content-encoding': 'identity' }, 403],
  ])('%s', async (_what, bytes, headers, status) => {
    const { post, received } = createScopedApp(RULES);
    expect((await post(bytes, [], headers)).status).toBe(status);
    expect(received).toEqual([]);
  });

  test('a body over the limit is answered 413, with Content-Length or without', async () => {
    const { app, post } = createScopedApp(RULES, { options: { maxBodyBytes: 100 }, policy: { mode: 'optional' } });
    expect((await post(`"${'x'.repeat(98)}"`)).status).toBe(400);
    expect((await post(`"${'x'.repeat(99)}"`)).status).toBe(413);
    const origin = await serve(app);
    const chunked = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(64));
      },
    });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${origin}/mcp`, {
      method: 'POST',
      headers,
      body: chunked,
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(413);
  });

  test('a client that hangs up in the middle of its body leaves nothing behind', async () => {
    const { app, received, post } = createScopedApp(RULES, { policy: { mode: 'optional' } });
    const { hostname, port } = new URL(await serve(app));
    const socket = connectTcp(Number(port), hostname);
    await once(socket, 'connect');
    socket.write(
      'POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"jsonrpc"',
    );
    socket.end();
    await once(socket.resume(), 'close');
    expect(received).toEqual([]);
    expect((await post(callTool('echo'))).status).toBe(200);
  });
});

describe('a body parser that ran before', () => {
  const parsers: [string, Middleware][] = [
    ['express.json()', express.json() as Middleware],
    ['express.text()', express.text({ type: '*/*' }) as Middleware],
    ['express.raw()', express.raw({ type: '*/*' }) as Middleware],
  ];

  test.each(parsers)('%s: its result is checked, and not changed', async (_name, parser) => {
    const { post, received } = createScopedApp(RULES, { before: [parser] });
    expect((await post(callTool('delete_file'))).status).toBe(403);
    expect((await post(callTool('echo'))).status).toBe(200);
    const body = received[0]?.body;
    const left = Buffer.isBuffer(body) || typeof body === 'string' ? JSON.parse(String(body)) : body;
    expect(left).toEqual(callTool('echo'));
  });

  test.each(parsers)('%s after mcpScopes() reads the same body', async (name, parser) => {
    const { post, received } = createScopedApp(RULES, { after: [parser] });
    expect((await post(callTool('echo'))).status).toBe(200);
    const body = received[0]?.body;
    expect(name === 'express.json()' ? body : JSON.parse(String(body))).toEqual(callTool('echo'));
  });

  test('the last of two members counts if an earlier parser chose it', async () => {
    const { post } = createScopedApp(RULES, { before: [express.json() as Middleware] });
    expect((await post(call('{"name":"echo","name":"delete_file"}'))).status).toBe(403);
  });

  test('a body that an earlier middleware discarded is answered 500', async () => {
    const swallow: Middleware = (req, _res, next) => void req.resume().on('end', () => next());
    const { post, received } = createScopedApp(RULES, { before: [swallow] });
    expect((await post(callTool('echo'))).status).toBe(500);
    expect(received).toEqual([]);
  });
});

test('without mcpAuth() before it, every request is answered 500', async () => {
  const { mcpScopes } = await import('../../src/index.js');
  const app = express().use(mcpScopes(RULES));
  app.use((_req, res) => res.end('through'));
  for (const verb of ['get', 'post'] as const) expect((await request(app)[verb]('/mcp')).status).toBe(500);
});
