import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Middleware, mcpLimits, mcpStdioBackend } from '../../src/index.js';
import { call, type Headers, initialize, open, post } from '../support/mcp-requests.js';
import { createRuledApp } from '../support/ruled-app.js';
import { identify, NODE, SCRIPTED, type serve, serveBackend } from '../support/stdio-bridge.js';
import { type InMemoryTelemetry, stableAttributes, startInMemoryTelemetry } from '../support/telemetry.js';

const ADA = { authorization: 'Bearer ada' };

interface Served {
  readonly url: string;
  readonly session: Headers;
  readonly telemetry: InMemoryTelemetry;
}

async function start(middlewares: Parameters<typeof serve>[2] = []): Promise<Served> {
  const backend = mcpStdioBackend({ command: NODE, args: [SCRIPTED] });
  const served = await serveBackend(backend, 'Express 5', middlewares);
  onTestFinished(() => served.stop());
  const session = await open(served.url, ADA);
  return { url: served.url, session, telemetry: startInMemoryTelemetry() };
}

const HTTP = {
  'network.transport': 'tcp',
  'network.protocol.name': 'http',
  'network.protocol.version': '1.1',
};

test('a tool call has a server span and a client span, with the attributes of the conventions', async () => {
  const { url, session, telemetry } = await start();
  await (
    await post(url, call('call-1', 'echo', { a: 1 }), { ...session, 'mcp-protocol-version': '2025-06-18' })
  ).text();
  const [client, server] = await telemetry.spans(2);
  const tool = { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'echo', 'gen_ai.operation.name': 'execute_tool' };
  expect(client && stableAttributes(client)).toEqual(tool);
  expect(server && stableAttributes(server)).toEqual({
    ...tool,
    ...HTTP,
    'jsonrpc.request.id': 'call-1',
    'mcp.protocol.version': '2025-06-18',
    'mcp.session.id': session['mcp-session-id'],
    'express_mcp_auth.route': '/mcp',
    'express_mcp_auth.outcome': 'answered',
  });
  expect(server?.attributes['client.address']).toMatch(/127\.0\.0\.1$/);
  expect(server?.status).toEqual({ code: SpanStatusCode.UNSET });
});

test('the span of initialize has the id of the session that it opens', async () => {
  const { url, telemetry } = await start();
  const response = await post(url, initialize('2025-06-18', 7), ADA);
  await response.text();
  const spans = await telemetry.spans(2);
  const server = spans.find(({ attributes }) => 'jsonrpc.request.id' in attributes);
  expect(server?.attributes).toMatchObject({
    'mcp.method.name': 'initialize',
    'jsonrpc.request.id': '7',
    'mcp.protocol.version': '2025-06-18',
    'mcp.session.id': response.headers.get('mcp-session-id'),
  });
});

const rpcError = '{"jsonrpc":"2.0","id":ID,"error":{"code":-32602,"message":"the secret argument"}}\n';
const SAYS_ERROR = '{"jsonrpc":"2.0","id":ID,"result":{"content":[],"isError":true}}\n';

const failures = [
  ['a result that says isError', 'print', { line: SAYS_ERROR }, 'tool_error', { outcome: 'tool_error' }],
  ['a JSON-RPC error', 'print', { line: rpcError }, '-32602', { outcome: 'protocol_error', status: '-32602' }],
  ['the end of its program', 'crash', {}, 'child_exited', { outcome: 'target_failed' }],
] as const;

test.each(failures)('a call that ends with %s has spans with an error and no message', async (...row) => {
  const [, tool, args, errorType, { outcome, ...rest }] = row;
  const { url, session, telemetry } = await start();
  await (await post(url, call(1, tool, args), session)).text();
  const spans = await telemetry.spans(2);
  for (const span of spans) {
    expect(span.attributes['error.type']).toBe(errorType);
    expect(span.attributes['rpc.response.status_code']).toBe('status' in rest ? rest.status : undefined);
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(span.events).toEqual([]);
  }
  expect(spans.at(-1)?.attributes['express_mcp_auth.outcome']).toBe(outcome);
});

const LIMIT = { per: 'user', tokens: 1, refill: 1, every: '1h' } as const;

function expectServerSpanAlone({ exported }: InMemoryTelemetry, outcome: string): void {
  const refused = exported.filter(({ attributes }) => attributes['express_mcp_auth.outcome'] === outcome);
  expect(refused.map(({ name }) => name)).toEqual(['tools/call']);
  const children = exported.filter(
    ({ parentSpanContext: parent }) => parent?.spanId === refused[0]?.spanContext().spanId,
  );
  expect(children).toEqual([]);
}

test('a call that a rule denies has a server span alone', async () => {
  const { post: send } = createRuledApp({ rules: ["mcp.tool.name == 'other'"] });
  const telemetry = startInMemoryTelemetry();
  await send(call(1, 'echo'));
  await telemetry.spans(1);
  expectServerSpanAlone(telemetry, 'denied');
});

test('a call that a limit refuses has a server span alone', async () => {
  let limit: Middleware = (_req, _res, next) => next();
  const { url, session, telemetry } = await start([identify, (req, res, next) => limit(req, res, next)]);
  limit = mcpLimits([LIMIT]);
  for (const id of [1, 2]) await (await post(url, call(id, 'echo'), session)).text();
  await telemetry.spans(3);
  expectServerSpanAlone(telemetry, 'limited');
});

describe('the span of an HTTP request that the application makes', () => {
  async function callWithin(carrier: 'headers' | 'meta') {
    let within: Middleware = (_req, _res, next) => next();
    const { url, session, telemetry } = await start([(req, res, next) => within(req, res, next)]);
    const http = telemetry.client('HTTP').span;
    within = (_req, _res, next) => context.with(trace.setSpan(context.active(), http), next);
    const client = telemetry.client();
    const [headers, meta] = carrier === 'headers' ? [client.carrier, {}] : [{}, client.carrier];
    await (await post(url, call(1, 'echo', {}, meta), { ...session, ...headers })).text();
    for (const span of [client.span, http]) span.end();
    const spans = await telemetry.spans(4);
    return {
      client: client.span.spanContext().spanId,
      http: http.spanContext().spanId,
      server: spans.find(({ attributes }) => 'jsonrpc.request.id' in attributes),
    };
  }

  test('is the parent of a call, whose client gives its trace in headers', async () => {
    const { server, http } = await callWithin('headers');
    expect(server?.parentSpanContext?.spanId).toBe(http);
  });

  test('is linked with the span of a call, whose client gives its trace in _meta', async () => {
    const { client, server, http } = await callWithin('meta');
    expect(server?.parentSpanContext?.spanId).toBe(client);
    expect(server?.links.map((link) => link.context.spanId)).toEqual([http]);
  });
});

test('a tool is in the name of spans once its server has listed it', async () => {
  const { url, session, telemetry } = await start();
  await (await post(url, call(1, 'echo'), session)).text();
  await (await post(url, { jsonrpc: '2.0', id: 2, method: 'tools/list' }, session)).text();
  await (await post(url, call(3, 'echo'), session)).text();
  await (await post(url, { jsonrpc: '2.0', id: 4, method: 'made/up' }, session)).text();
  await (await post(url, call(5, 'made-up'), session)).text();
  const names = (await telemetry.spans(10)).map(({ name }) => name);
  expect([...new Set(names)]).toEqual(['tools/call', 'tools/list', 'tools/call echo', '_OTHER']);
});
