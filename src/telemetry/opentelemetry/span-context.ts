import type { Context, Link, SpanContext } from '@opentelemetry/api';
import type { CallStart, TraceCarrier } from '../call-tracer.js';
import { metaWithTrace, parseTraceParent } from '../trace-context.js';
import { openTelemetryApi } from './open-telemetry-api.js';

/** The context of a span's parent, and the links of the span. */
export interface SpanParent {
  readonly context: Context;
  readonly links: Link[];
}

/**
 * Finds the parent of the span of a call. The trace in `_meta` is that of the client's call. Without it, the active span is the parent,
 * which is that of the HTTP request if the application makes such spans; without one, the trace in the headers.
 */
export function findParent({ params }: CallStart, carrier: TraceCarrier): SpanParent {
  const { context, trace, isSpanContextValid } = openTelemetryApi();
  const active = context.active();
  const ambient = trace.getSpanContext(active);
  const hasAmbient = ambient !== undefined && isSpanContextValid(ambient);
  const ofClient = remoteSpanContext(carrier);
  if (ofClient === undefined || (hasAmbient && metaWithTrace(params) === undefined)) {
    return { context: withBaggage(active, carrier), links: [] };
  }
  return {
    context: trace.setSpanContext(withBaggage(active, carrier), ofClient),
    links: hasAmbient ? [{ context: ambient }] : [],
  };
}

/** Parses W3C Trace Context, whichever propagators the application has: MCP has no other form (SEP-414). */
function remoteSpanContext({ traceparent, tracestate }: TraceCarrier): SpanContext | undefined {
  const parent = parseTraceParent(traceparent);
  if (parent === undefined) return undefined;
  const { traceId, spanId, flags } = parent;
  const state = tracestate ? { traceState: openTelemetryApi().createTraceState(tracestate) } : {};
  return { traceId, spanId, traceFlags: flags, isRemote: true, ...state };
}

/** Makes the baggage of the client available to the application, if it has a propagator for baggage. */
function withBaggage(context: Context, { baggage }: TraceCarrier): Context {
  return baggage === undefined ? context : openTelemetryApi().propagation.extract(context, { baggage });
}

/** Returns the carrier for a message that a span sends. Baggage is handed on as it came. */
export function carrierFrom(span: SpanContext, parent: TraceCarrier): TraceCarrier {
  // Without an SDK there are no spans.
  if (!openTelemetryApi().isSpanContextValid(span)) return parent;
  const { traceId, spanId, traceFlags, traceState } = span;
  const flags = (traceFlags & 0xff).toString(16).padStart(2, '0');
  return {
    traceparent: `00-${traceId}-${spanId}-${flags}`,
    tracestate: traceState?.serialize() || undefined,
    baggage: parent.baggage,
  };
}
