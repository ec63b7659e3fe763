import type { IncomingMessage } from 'node:http';
import { isRecord } from '../http/json-object.js';
import type { TraceCarrier } from './call-tracer.js';

/** `version-traceid-parentid-flags` of W3C Trace Context. Version `ff`, and ids of zeros, are invalid. Later versions may have more fields. */
const TRACEPARENT =
  /^(?!ff)(?<version>[\da-f]{2})-(?!0{32})(?<trace>[\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(?<more>-.*)?$/;

/**
 * Returns the trace of a request: from `_meta` of its message (SEP-414), else from the headers of its HTTP request. An invalid
 * `traceparent` counts as none, and `tracestate` means nothing without it (W3C Trace Context, section 4.3).
 */
export function traceParentOf({ headers }: IncomingMessage, params: Readonly<Record<string, unknown>>): TraceCarrier {
  const { _meta: meta } = params;
  const { traceparent, tracestate, baggage } = isRecord(meta) && traceIn(meta.traceparent) ? meta : headers;
  return traceIn(traceparent) === undefined
    ? { traceparent: undefined, tracestate: undefined, baggage: textOf(baggage) }
    : { traceparent: textOf(traceparent), tracestate: textOf(tracestate), baggage: textOf(baggage) };
}

/** Returns the 32 hexadecimal digits of the trace; undefined if the carrier names none. */
export function traceIdOf({ traceparent }: TraceCarrier): string | undefined {
  return traceIn(traceparent);
}

function traceIn(traceparent: unknown): string | undefined {
  const groups = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.groups : undefined;
  return groups?.version === '00' && groups.more !== undefined ? undefined : groups?.trace;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
