import type { IncomingMessage } from 'node:http';
import { isRecord } from '../http/json-object.js';
import type { TraceCarrier } from './call-tracer.js';

/** `version-traceid-parentid-flags` of W3C Trace Context. Version `ff`, and ids of zeros, are invalid. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-((?!0{32})[\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-.*)?$/;

/** Returns the trace of a request: from `_meta` of its message (SEP-414), else from the headers of its HTTP request. */
export function traceParentOf({ headers }: IncomingMessage, params: Readonly<Record<string, unknown>>): TraceCarrier {
  const { _meta: meta } = params;
  const given = isRecord(meta) && typeof meta.traceparent === 'string' ? meta : headers;
  const { traceparent, tracestate, baggage } = given;
  return { traceparent: textOf(traceparent), tracestate: textOf(tracestate), baggage: textOf(baggage) };
}

/** Returns the 32 hexadecimal digits of the trace; undefined if the carrier names none. */
export function traceIdOf({ traceparent }: TraceCarrier): string | undefined {
  return traceparent === undefined ? undefined : TRACEPARENT.exec(traceparent)?.[1];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
