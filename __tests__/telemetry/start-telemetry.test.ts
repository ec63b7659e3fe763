import { metrics, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import express from 'express';
import request from 'supertest';
import { expect, onTestFinished, test } from 'vitest';
import { type Middleware, mcpAuth, mcpAuthorization, mcpCalls, mcpLimits } from '../../src/index.js';
import { startTelemetry, type TelemetryOptions } from '../../src/telemetry/opentelemetry/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { call, callText, open } from '../support/mcp-requests.js';
import { serve } from '../support/stdio-bridge.js';
import { startInMemoryTelemetry } from '../support/telemetry.js';

const ADVICE = 'Leave it out for the provider that the SDK of OpenTelemetry registers.';

const refused = [
  [
    'an unknown option',
    { provider: 1 },
    'option "provider" must be one of tracerProvider, meterProvider, but got "provider". Remove it.',
  ],
  [
    'a tracer',
    { tracerProvider: { startSpan: () => undefined } },
    `option "tracerProvider" must be a provider of OpenTelemetry, with getTracer(). ${ADVICE}`,
  ],
  [
    'null',
    { meterProvider: null },
    `option "meterProvider" must be a provider of OpenTelemetry, with getMeter(). ${ADVICE}`,
  ],
  ['a text', 'x', 'option "options" must be an object, but got "x". Write startTelemetry().'],
] as const;

test.each(refused)('startTelemetry() refuses %s', (_what, options, message) => {
  expect(() => startTelemetry(options as TelemetryOptions)).toThrow(`startTelemetry(): ${message}`);
});

test.each([undefined, {}, { tracerProvider: undefined, meterProvider: undefined }, Object.create(null)])(
  'startTelemetry(%o) uses the registered providers',
  (options) => {
    startTelemetry(options).stop();
  },
);

test('startTelemetry() is called once, until it is stopped', () => {
  const first = startTelemetry();
  onTestFinished(() => first.stop());
  expect(() => startTelemetry()).toThrow(
    'startTelemetry(): option "options" must be given to one startTelemetry() at a time. ' +
      'It has been started already in this process: remove this call, or call stop() of the first one before.',
  );
  first.stop();
  const second = startTelemetry();
  // The first one cannot stop another one.
  first.stop();
  expect(() => startTelemetry()).toThrow('at a time');
  second.stop();
});

test('without an SDK, the trace of a client goes on unchanged', async () => {
  const served = await serve();
  onTestFinished(() => served.stop());
  const session = await open(served.url);
  const telemetry = startTelemetry();
  onTestFinished(() => telemetry.stop());
  const carrier = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: 'v=1', baggage: 'k=v' };
  expect(JSON.parse(await callText(served.url, { ...session, ...carrier }, 'meta'))).toEqual(carrier);
});

test('an SDK that is registered later gets the spans', async () => {
  const served = await serve();
  onTestFinished(() => served.stop());
  const telemetry = startTelemetry();
  const session = await open(served.url);
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  onTestFinished(() => {
    telemetry.stop();
    trace.disable();
    metrics.disable();
  });
  await callText(served.url, session, 'pid');
  expect(exporter.getFinishedSpans().map(({ attributes }) => attributes['gen_ai.tool.name'])).toEqual(['pid', 'pid']);
});

const issuer = createTestIssuer();
const policy = { ...issuer.policy({ resource: 'https://mcp.example/mcp' }), mode: 'optional' } as const;

const middlewares: readonly (readonly [name: string, middleware: () => Middleware])[] = [
  ['mcpCalls()', () => mcpCalls()],
  ['mcpAuthorization()', () => mcpAuthorization({ rules: ['true'] })],
  ['mcpLimits()', () => mcpLimits([{ per: 'user', tokens: 9, refill: 9, every: '1h' }])],
];

test.each(middlewares)('spans of an MCP server behind %s belong to the span of the call', async (_name, create) => {
  const telemetry = startInMemoryTelemetry();
  const app = express().use(mcpAuth(policy)).use('/mcp', create());
  app.post('/mcp', async (_req, res) => {
    await new Promise((resolve) => setImmediate(resolve));
    telemetry.withinServer();
    res.json({ jsonrpc: '2.0', id: 1, result: { content: [] } });
  });
  await request(app).post('/mcp').send(call(1, 'add')).expect(200);
  const [inner, server] = await telemetry.spans(2);
  expect(inner?.parentSpanContext?.spanId).toBe(server?.spanContext().spanId);
  expect(server?.attributes).toMatchObject({ 'gen_ai.tool.name': 'add', 'express_mcp_auth.outcome': 'answered' });
});
