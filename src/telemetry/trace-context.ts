import type { IncomingMessage } from 'node:http';
import { isRecord } from '../http/json-object.js';
import type { TraceCarrier } from './call-tracer.js';

/** `version-traceid-parentid-flags` of W3C Trace Context. Version `ff`, and ids of zeros, are invalid. */
const TRACEPARENT =
  /^(?!ff)[\da-f]{2}-(?<traceId>(?!0{32})[\da-f]{32})-(?<spanId>(?!0{16})[\da-f]{16})-(?<flags>[\da-f]{2})(?:-.*)?$/;

/** Characters of `traceparent`: a later version may have further parts. */
const MAX_TRACEPARENT = 256;
/** Characters of `tracestate` that must be handed on (W3C Trace Context, 3.3.1.5). */
const MAX_TRACESTATE = 512;
/** Bytes of `baggage` that must be handed on (W3C Baggage, 3.3.2). */
const MAX_BAGGAGE = 8_192;

/** The characters that a header can have. A value of `_meta` may go into a header. */
const PRINTABLE = /^[ -~\t]*$/;

/** The parts of `traceparent`. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
}

/**
 * Returns the trace of a request: from `_meta` of its message (SEP-414), else from the headers of its HTTP request. Values that are too
 * long, or that a header cannot have, are left out.
 */
export function traceParentOf({ headers }: IncomingMessage, params: Readonly<Record<string, unknown>>): TraceCarrier {
  const { traceparent, tracestate, baggage } = metaWithTrace(params) ?? headers;
  return {
    traceparent: textOf(traceparent, MAX_TRACEPARENT),
    tracestate: textOf(tracestate, MAX_TRACESTATE),
    baggage: textOf(baggage, MAX_BAGGAGE),
  };
}

/** Returns `_meta` of a message if the trace of the message is in it. */
export function metaWithTrace({
  _meta: meta,
}: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined {
  return isRecord(meta) && typeof meta.traceparent === 'string' ? meta : undefined;
}

/** Parses `traceparent`. Undefined if it is not valid. */
export function parseTraceParent(text: string | undefined): TraceParent | undefined {
  const groups = text === undefined ? undefined : TRACEPARENT.exec(text)?.groups;
  return groups && { traceId: groups.traceId as string, spanId: groups.spanId as string, flags: flagsOf(groups) };
}

function flagsOf({ flags = '00' }: Readonly<Record<string, string>>): number {
  return Number.parseInt(flags, 16);
}

/** Returns the 32 hexadecimal digits of the trace; undefined if the carrier names none. */
export function traceIdOf({ traceparent }: TraceCarrier): string | undefined {
  return parseTraceParent(traceparent)?.traceId;
}

function textOf(value: unknown, maxLength: number): string | undefined {
  return typeof value === 'string' && value.length <= maxLength && PRINTABLE.test(value) ? value : undefined;
}
