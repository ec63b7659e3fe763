import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import express from 'express';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Middleware } from '../../src/http/middleware.js';
import { eventsOf, messagesOf, nextMessage } from '../support/mcp-answers.js';
import { call, callText, initialize, open, post } from '../support/mcp-requests.js';
import { isRunning } from '../support/program.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { EVERYTHING, FRAMEWORKS, type Served, serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

describe.each(FRAMEWORKS)('a stdio server behind %s', (framework) => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({}, framework);
  });
  afterAll(() => served.stop());

  test('opens a session, answers a call as JSON, and ends with DELETE', async () => {
    const { url } = served;
    const opened = await post(url, initialize());
    expect(opened.headers.get('content-type')).toBe('application/json');
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') as string };
    expect(await opened.json()).toMatchObject({ id: 0, result: { protocolVersion: '2025-06-18' } });
    const notified = await post(url, { jsonrpc: '2.0', method: 'notifications/initialized' }, session);
    expect([notified.status, await notified.text()]).toEqual([202, '']);
    expect(JSON.parse(await callText(url, session, 'received'))).toEqual(['notifications/initialized']);
    const pid = Number(await callText(url, session, 'pid'));
    const ended = await fetch(url, { method: 'DELETE', headers: session });
    expect(ended.status).toBe(200);
    expect((await post(url, call(2, 'pid'), session)).status).toBe(404);
    await until(() => !isRunning(pid));
  });

  test('answers with a stream once the child sends more than the response', async () => {
    const { url } = served;
    const session = await open(url);
    const response = await post(url, call(7, 'progress', { steps: 2 }, { progressToken: 'p' }), session);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    const messages = await messagesOf(response);
    expect(messages.map(({ id, params }) => [id, (params as { progress?: number })?.progress])).toEqual([
      [undefined, 1],
      [undefined, 2],
      [7, undefined],
    ]);
  });

  test('carries requests of the child to the client and the answers back', async () => {
    const { url } = served;
    const session = await open(url);
    const events = eventsOf(await post(url, call(8, 'ask'), session));
    const question = await nextMessage(events);
    expect(question).toMatchObject({ method: 'sampling/createMessage' });
    const notified = await post(url, { jsonrpc: '2.0', id: question.id, result: { role: 'assistant' } }, session);
    expect(notified.status).toBe(202);
    expect(await nextMessage(events)).toMatchObject({ id: 8, result: { content: [{ text: '{"role":"assistant"}' }] } });
  });

  test('has a standalone stream for messages that belong to no request', async () => {
    const { url } = served;
    const session = await open(url);
    const stream = await fetch(url, { headers: { ...session, accept: 'text/event-stream' } });
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    const events = eventsOf(stream);
    const pid = await callText(url, session, 'pid');
    await callText(url, session, 'late');
    expect(await nextMessage(events)).toMatchObject({ params: { data: `late from ${pid}` } });
    expect(await nextMessage(events)).toMatchObject({ method: 'notifications/tools/list_changed' });
  });
});

describe.each(FRAMEWORKS)('behind body parsers on %s', (framework) => {
  const parsers: [string, Middleware][] = [
    ['express.json()', express.json() as unknown as Middleware],
    ['express.text()', express.text({ type: 'application/json' }) as unknown as Middleware],
    ['express.raw()', express.raw({ type: 'application/json' }) as unknown as Middleware],
    ['a parser of other types', express.urlencoded() as unknown as Middleware],
  ];
  test.each(parsers)('%s that ran before does no harm', async (_name, parser) => {
    const { url, stop } = await serve({ maxBodyBytes: 1_000 }, framework, [parser]);
    const session = await open(url);
    expect(JSON.parse(await callText(url, session, 'echo', { a: 'ä' }))).toEqual({ a: 'ä' });
    expect((await post(url, call(1, 'echo', { a: 'x'.repeat(1_000) }), session)).status).toBe(413);
    await stop();
  });

  test('a body that an earlier middleware swallowed is answered 500 as JSON, and the log says what to do', async () => {
    const swallow: Middleware = (req, _res, next) => void req.resume().on('end', () => setImmediate(next));
    const { lines, logger } = createRecordingLogger();
    const { url, errors, stop } = await serve({ logger }, framework, [swallow]);
    const answer = await post(url, initialize());
    expect([answer.status, ((await answer.json()) as { error: object }).error]).toMatchObject([
      500,
      { code: -32603, data: { reason: 'body_already_read' } },
    ]);
    expect(errors).toEqual([]);
    expect(lines).toContain(
      'error mcpStdioBackend(): An earlier middleware read the request body and did not keep it in req.body: ' +
        'mount mcpStdioBackend() before that middleware, or make the middleware keep the body in req.body',
    );
    await stop();
  });
});

describe('a request that cannot be served', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({ maxBodyBytes: 10_000 });
  });
  afterAll(() => served.stop());

  const cases: [string, unknown, Record<string, string>, number, number][] = [
    ['malformed JSON', '{"jsonrpc":', {}, 400, -32700],
    ['an empty body', '', {}, 400, -32700],
    ['JSON that is not JSON-RPC', { hello: 1 }, {}, 400, -32600],
    ['a string', '"hello"', {}, 400, -32600],
    ['null', 'null', {}, 400, -32600],
    ['another version of JSON-RPC', { jsonrpc: '1.0', id: 1, method: 'ping' }, {}, 400, -32600],
    ['an id that is null', { jsonrpc: '2.0', id: null, method: 'ping' }, {}, 400, -32600],
    ['params that are a list', { jsonrpc: '2.0', id: 1, method: 'ping', params: [] }, {}, 400, -32600],
    ['no session id', { jsonrpc: '2.0', id: 1, method: 'ping' }, {}, 400, -32000],
    ['an unknown session id', { jsonrpc: '2.0', id: 1, method: 'ping' }, { 'mcp-session-id': 'x' }, 404, -32001],
    [
      'the session id __proto__',
      { jsonrpc: '2.0', id: 1, method: 'ping' },
      { 'mcp-session-id': '__proto__' },
      404,
      -32001,
    ],
    ['a body over the limit', { jsonrpc: '2.0', id: 1, method: 'x'.repeat(10_000) }, {}, 413, -32600],
    ['a body of another type', '{}', { 'content-type': 'text/plain' }, 415, -32600],
    ['a body in another charset', '{}', { 'content-type': 'application/json; charset=utf-16' }, 415, -32600],
    ['a compressed body', '{}', { 'content-encoding': 'gzip' }, 415, -32600],
    ['a client that accepts neither', initialize(), { accept: 'text/html' }, 406, -32000],
  ];
  test.each(cases)('%s is answered with a JSON-RPC error', async (_name, body, headers, status, code) => {
    const response = await post(served.url, body, headers);
    const answer = (await response.json()) as { error: { code: number } };
    expect([response.status, response.headers.get('content-type'), answer.error.code]).toEqual([
      status,
      'application/json',
      code,
    ]);
  });

  test('other methods are answered 405 with Allow', async () => {
    for (const method of ['PUT', 'PATCH', 'OPTIONS', 'HEAD']) {
      const response = await fetch(served.url, { method });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST, DELETE']);
    }
  });

  test('GET and DELETE need a session id, and a known one', async () => {
    for (const method of ['GET', 'DELETE']) {
      expect((await fetch(served.url, { method })).status).toBe(400);
      expect((await fetch(served.url, { method, headers: { 'mcp-session-id': 'x' } })).status).toBe(404);
    }
  });

  test('a program that does not start is answered 502', async () => {
    const broken = await serve({ command: '/nonexistent/program' });
    const response = await post(broken.url, initialize());
    expect([response.status, response.headers.get('mcp-session-id')]).toEqual([502, null]);
    expect(await response.json()).toMatchObject({ id: 0, error: { data: { reason: 'child_not_started' } } });
    expect(broken.backend.stats()).toEqual({ sessions: 0, children: 0, pending: 0, restarts: 0 });
    await broken.stop();
  });
});

describe('the client of the MCP SDK, against server-everything', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({ args: [EVERYTHING] });
  });
  afterAll(() => served.stop());

  test('lists and calls tools, and sees progress', async () => {
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(new URL(served.url)) as never);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain('echo');
    expect(await client.callTool({ name: 'echo', arguments: { message: 'hi' } })).toMatchObject({
      content: [{ text: 'Echo: hi' }],
    });
    const progress: number[] = [];
    await client.callTool(
      { name: 'trigger-long-running-operation', arguments: { duration: 0.2, steps: 4 } },
      undefined,
      {
        onprogress: (step) => progress.push(step.progress),
      },
    );
    expect(progress).toEqual([1, 2, 3, 4]);
    await client.close();
  });
});
