import type { IncomingMessage } from 'node:http';
import { isRecord } from '../http/json-object.js';
import type { TraceCarrier } from './call-tracer.js';

/** `version-traceid-parentid-flags` of W3C Trace Context. Version `ff`, and ids of zeros, are invalid. Later versions may have more fields. */
const TRACEPARENT =
  /^(?!ff)(?<version>[\da-f]{2})-(?!0{32})(?<traceId>[\da-f]{32})-(?!0{16})(?<spanId>[\da-f]{16})-(?<flags>[\da-f]{2})(?<more>-.*)?$/;

/** Characters of `traceparent`. */
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
 * Returns the trace of a request, from `_meta` of its message (SEP-414), or else from the headers of its HTTP request. An invalid
 * `traceparent` counts as none, and `tracestate` means nothing without it (W3C Trace Context, section 4.3). Values that are too long, or
 * that a header cannot have, are left out.
 */
export function traceParentOf({ headers }: IncomingMessage, params: Readonly<Record<string, unknown>>): TraceCarrier {
  const { traceparent, tracestate, baggage: all } = metaWithTrace(params) ?? headers;
  if (traceparent === undefined && all === undefined) return NO_TRACE;
  const baggage = textOf(all, MAX_BAGGAGE);
  return parseTraceParent(traceparent) === undefined
    ? { traceparent: undefined, tracestate: undefined, baggage }
    : { traceparent: textOf(traceparent, MAX_TRACEPARENT), tracestate: textOf(tracestate, MAX_TRACESTATE), baggage };
}

const NO_TRACE: TraceCarrier = Object.freeze({});

/** Returns `_meta` of a message if it has a valid `traceparent`. */
export function metaWithTrace({
  _meta: meta,
}: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined {
  return isRecord(meta) && parseTraceParent(meta.traceparent) !== undefined ? meta : undefined;
}

/** Parses `traceparent`. Undefined if it is not valid. */
export function parseTraceParent(value: unknown): TraceParent | undefined {
  const text = textOf(value, MAX_TRACEPARENT);
  const groups = text === undefined ? undefined : TRACEPARENT.exec(text)?.groups;
  if (groups === undefined || (groups.version === '00' && groups.more !== undefined)) return undefined;
  const { traceId = '', spanId = '', flags = '' } = groups;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

/** Returns the 32 hexadecimal digits of the trace; undefined if the carrier names none. */
export function traceIdOf({ traceparent }: TraceCarrier): string | undefined {
  return parseTraceParent(traceparent)?.traceId;
}

function textOf(value: unknown, maxLength: number): string | undefined {
  return typeof value === 'string' && value.length <= maxLength && PRINTABLE.test(value) ? value : undefined;
}
