import { type Attributes, type Context, context, ROOT_CONTEXT, type Span, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  type DataPoint,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { onTestFinished } from 'vitest';
import { shareValue } from '../../src/core/shared-state.js';
import type { TraceCarrier } from '../../src/telemetry/call-tracer.js';
import { startTelemetry } from '../../src/telemetry/opentelemetry/index.js';
import { parseTraceParent } from '../../src/telemetry/trace-context.js';
import { until } from './until.js';

/** OpenTelemetry with exporters in memory. */
export interface InMemoryTelemetry {
  /** Begins the span of a client, and returns it with its headers. */
  client(name?: string): { readonly span: Span; readonly carrier: { readonly traceparent: string } };
  /** Makes the span that a target would make of a carrier. */
  target(carrier: TraceCarrier): void;
  /** Makes a span in the active context, as an MCP server would. */
  withinServer(): void;
  /** Waits until the exporter has this many spans. */
  spans(count: number): Promise<readonly ReadableSpan[]>;
  /** Every span that the exporter has. */
  readonly exported: readonly ReadableSpan[];
  /** The points of a metric. */
  points(metric: string): Promise<readonly DataPoint<Histogram>[]>;
}

/** Starts telemetry for one test. */
export function startInMemoryTelemetry(): InMemoryTelemetry {
  // Test files share one process: an earlier one may have listed names on the same route.
  shareValue('listedNames', () => ({ names: new Map() })).names.clear();
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const telemetry = startTelemetry({ tracerProvider, meterProvider });
  onTestFinished(async () => {
    telemetry.stop();
    context.disable();
    await Promise.all([tracerProvider.shutdown(), meterProvider.shutdown()]);
  });
  const tracer = tracerProvider.getTracer('test');
  return {
    client(name = 'client') {
      const span = tracer.startSpan(name, { kind: SpanKind.CLIENT }, ROOT_CONTEXT);
      return { span, carrier: { traceparent: traceparentOf(span) } };
    },
    target: (carrier) => tracer.startSpan('target', { kind: SpanKind.SERVER }, remoteContext(carrier)).end(),
    withinServer: () => tracer.startSpan('within').end(),
    async spans(count) {
      await until(() => exporter.getFinishedSpans().length >= count);
      return exporter.getFinishedSpans();
    },
    get exported() {
      return exporter.getFinishedSpans();
    },
    async points(metric) {
      metricExporter.reset();
      await reader.forceFlush();
      const metrics = metricExporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((s) => s.metrics));
      return metrics.filter(({ descriptor }) => descriptor.name === metric).flatMap((m) => m.dataPoints as never[]);
    },
  };
}

export function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-0${traceFlags}`;
}

function remoteContext({ traceparent }: TraceCarrier): Context {
  const parent = parseTraceParent(traceparent);
  if (parent === undefined) throw new Error(`no traceparent: ${traceparent}`);
  const { traceId, spanId, flags } = parent;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: flags, isRemote: true });
}

/** The names of spans, each with the name of its parent: `client > tools/call`. */
export function chainOf(spans: readonly ReadableSpan[], last: string): string {
  const chain: string[] = [];
  let span = spans.find(({ name }) => name === last);
  while (span !== undefined) {
    chain.unshift(`${span.name} (${SpanKind[span.kind]})`);
    const parent: string | undefined = span.parentSpanContext?.spanId;
    span = spans.find((each) => each.spanContext().spanId === parent);
  }
  return chain.join(' > ');
}

/** The attributes of a span or a point that are not about the client's address, which differs. */
export function stableAttributes({ attributes }: { readonly attributes: Attributes }): Attributes {
  const { 'client.address': _address, 'client.port': _port, 'express_mcp_auth.request_id': _id, ...rest } = attributes;
  return rest;
}
