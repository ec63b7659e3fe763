import type { IncomingMessage } from 'node:http';
import type { Attributes, Context, MeterProvider, Span, Tracer, TracerProvider } from '@opentelemetry/api';
import { mcpRouteOf } from '../../core/mcp-route.js';
import type { CallRecord } from '../call-record.js';
import type { CallSpan, CallStart, CallTracer, TargetSpan, TraceCarrier } from '../call-tracer.js';
import { errorTypeOf } from '../observed-call.js';
import { CallDurations } from './call-durations.js';
import {
  boundedErrorAttributes,
  clientAttributes,
  endAttributes,
  errorAttributes,
  metricAttributes,
  requestIdAttribute,
  sessionAttributes,
  spanAttributes,
  spanName,
  transportAttributes,
} from './conventions.js';
import { INSTRUMENTATION_NAME } from './instrumentation-name.js';
import { openTelemetryApi } from './open-telemetry-api.js';
import { carrierFrom, findParent } from './span-context.js';
import { withTracedCall } from './traced-call.js';

/** The settings of a tracer. The providers are looked up for each call, because the application may start its SDK later. */
export interface TracerSettings {
  readonly tracerProvider: () => TracerProvider;
  readonly meterProvider: () => MeterProvider;
  /** Names of attributes that spans do not get. */
  readonly removed: ReadonlySet<string>;
}

/** Makes the spans and metrics of calls with OpenTelemetry. */
export class SpanTracer implements CallTracer {
  readonly #settings: TracerSettings;
  readonly #metrics: CallDurations;

  constructor(settings: TracerSettings) {
    this.#settings = settings;
    this.#metrics = new CallDurations(settings.meterProvider);
  }

  begin(call: CallStart, carrier: TraceCarrier, req: IncomingMessage): CallSpan {
    const { SpanKind } = openTelemetryApi();
    const parts = {
      tracer: this.#settings.tracerProvider().getTracer(INSTRUMENTATION_NAME),
      metrics: this.#metrics,
      removed: this.#settings.removed,
      route: mcpRouteOf(req),
      transport: transportAttributes(call, req),
      call,
      carrier,
    };
    const { context, links } = findParent(call, carrier);
    const attributes = {
      ...spanAttributes(call),
      ...requestIdAttribute(call.key),
      ...parts.transport,
      ...clientAttributes(req),
    };
    const options = { kind: SpanKind.SERVER, attributes: without(parts.removed, attributes), links };
    const span = parts.tracer.startSpan(spanName(call, parts.route), options, withTracedCall(context, { call, req }));
    return new OpenCallSpan(parts, span, context);
  }

  recordSession(durationMs: number, revision?: string): void {
    this.#metrics.recordSession(durationMs, sessionAttributes(revision));
  }
}

interface SpanParts {
  readonly tracer: Tracer;
  readonly metrics: CallDurations;
  readonly removed: ReadonlySet<string>;
  readonly route: string;
  readonly transport: Attributes;
  readonly call: CallStart;
  readonly carrier: TraceCarrier;
}

class OpenCallSpan implements CallSpan {
  readonly traceId: string | undefined;
  readonly #parts: SpanParts;
  readonly #span: Span;
  readonly #context: Context;

  constructor(parts: SpanParts, span: Span, parent: Context) {
    const { trace, isSpanContextValid } = openTelemetryApi();
    this.#parts = parts;
    this.#span = span;
    this.#context = trace.setSpan(parent, span);
    const spanContext = span.spanContext();
    this.traceId = isSpanContextValid(spanContext) ? spanContext.traceId : undefined;
  }

  toTarget(target: string | undefined): TargetSpan {
    const { tracer, removed, route, call } = this.#parts;
    const attributes = { ...spanAttributes(call), ...targetAttributes(target) };
    const options = { kind: openTelemetryApi().SpanKind.CLIENT, attributes: without(removed, attributes) };
    const span = tracer.startSpan(spanName(call, route), options, this.#context);
    return new OpenTargetSpan(this.#parts, span, target);
  }

  run<T>(work: () => T): T {
    return openTelemetryApi().context.with(this.#context, work);
  }

  end(record: CallRecord): void {
    const { metrics, removed, transport } = this.#parts;
    const error = errorTypeOf(record);
    if (this.#span.isRecording()) {
      this.#span.setAttributes(without(removed, endAttributes(record)));
      setStatus(this.#span, error);
    }
    this.#span.end();
    metrics.recordServer(record.durationMs, {
      ...metricAttributes(record, record.route),
      ...transport,
      ...boundedErrorAttributes(error),
    });
  }
}

class OpenTargetSpan implements TargetSpan {
  readonly carrier: TraceCarrier;
  readonly #parts: SpanParts;
  readonly #span: Span;
  readonly #target: string | undefined;
  readonly #began = performance.now();
  #isOver = false;

  constructor(parts: SpanParts, span: Span, target: string | undefined) {
    this.carrier = carrierFrom(span.spanContext(), parts.carrier);
    this.#parts = parts;
    this.#span = span;
    this.#target = target;
  }

  end(errorType?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { metrics, removed, call, route } = this.#parts;
    if (errorType !== undefined) this.#span.setAttributes(without(removed, errorAttributes(errorType)));
    setStatus(this.#span, errorType);
    this.#span.end();
    metrics.recordClient(performance.now() - this.#began, {
      ...metricAttributes(call, route),
      ...targetAttributes(this.#target),
      ...boundedErrorAttributes(errorType),
    });
  }
}

function targetAttributes(target: string | undefined): Attributes {
  return target === undefined ? {} : { 'express_mcp_auth.target': target };
}

/** Without a description: the message of an error may have parts of arguments in it. */
function setStatus(span: Span, errorType: string | undefined): void {
  if (errorType !== undefined) span.setStatus({ code: openTelemetryApi().SpanStatusCode.ERROR });
}

function without(removed: ReadonlySet<string>, attributes: Attributes): Attributes {
  for (const name of removed) delete attributes[name];
  return attributes;
}
