import {
  type Attributes,
  type Context,
  context,
  type MeterProvider,
  type Span,
  type SpanOptions,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startTelemetry, type TelemetryOptions } from '../../src/telemetry/opentelemetry/index.js';
import { serveRemote } from '../support/http-backend.js';
import { call, open, post } from '../support/mcp-requests.js';
import { json, result, serveObserved, toolCall } from '../support/observed-app.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { serveTargets } from '../support/several-backend.js';
import { NODE, SCRIPTED, serve } from '../support/stdio-bridge.js';

const ERROR = '{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"no"}}\n';

function fail(): never {
  throw new Error('a broken exporter');
}

/** A provider whose spans are changed before they are used. */
function providerOf(change: (span: Span, kind: number | undefined) => Span): TelemetryOptions['tracerProvider'] {
  const provider = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter: new InMemorySpanExporter() })],
  });
  const tracer = provider.getTracer('broken');
  const startSpan = (name: string, options?: SpanOptions, parent?: Context) =>
    change(tracer.startSpan(name, options, parent), options?.kind);
  return { getTracer: () => ({ startSpan, startActiveSpan: fail as never }) };
}

const broken = (method: keyof Span) =>
  providerOf((span) => Object.assign(Object.create(span) as Span, { [method]: fail }));

const METER: MeterProvider = {
  getMeter: () =>
    ({ createHistogram: () => ({ record: (_value: number, _attributes?: Attributes) => fail() }) }) as never,
};

const PROVIDERS: Readonly<Record<string, TelemetryOptions>> = {
  'getTracer()': { tracerProvider: { getTracer: fail } },
  'every span': { tracerProvider: providerOf(fail) },
  'spans of targets': { tracerProvider: providerOf((span, kind) => (kind === 2 ? fail() : span)) },
  'spanContext()': { tracerProvider: broken('spanContext') },
  'setAttributes()': { tracerProvider: broken('setAttributes') },
  'setStatus()': { tracerProvider: broken('setStatus') },
  'isRecording()': { tracerProvider: broken('isRecording') },
  'end()': { tracerProvider: broken('end') },
  'getMeter()': { meterProvider: { getMeter: fail } },
  'record()': { meterProvider: METER },
};

const PLACES: Readonly<Record<string, () => Promise<{ url: string; bearer?: string }>>> = {
  async 'a stdio server'() {
    const served = await serve();
    onTestFinished(() => served.stop());
    return { url: served.url };
  },
  'several servers': async () => await serveTargets({ targets: { one: { command: NODE, args: [SCRIPTED] } } }),
  async 'a remote server'() {
    const target = await startRecordingTarget();
    const { url, issuer } = await serveRemote(target.url);
    return { url, bearer: issuer.token({ sub: 'ada' }) };
  },
};

describe.each(Object.keys(PROVIDERS))('an OpenTelemetry whose %s throws', (what) => {
  function start() {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const telemetry = startTelemetry(PROVIDERS[what]);
    onTestFinished(() => {
      telemetry.stop();
      context.disable();
    });
  }

  test.each(Object.entries(PLACES))('changes no answer of %s', async (_place, place) => {
    start();
    const { url, bearer = 'ada' } = await place();
    const session = await open(url, { authorization: `Bearer ${bearer}` });
    for (const name of ['echo', 'print']) {
      const answer = await post(url, call(7, name, { line: ERROR }), session);
      expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('"id":7')]);
    }
    const ended = await fetch(url, { method: 'DELETE', headers: session });
    expect(ended.status).toBeLessThan(300);
  });

  test('changes no answer of a server in the same app, and no record', async () => {
    start();
    const { post: send, recorded } = await serveObserved(json(result()));
    expect(await (await send(toolCall())).json()).toEqual(result());
    expect(await recorded(1)).toMatchObject([{ name: 'add', outcome: 'answered' }]);
  });
});
