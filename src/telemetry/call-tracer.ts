import type { IncomingMessage } from 'node:http';
import { shareValue } from '../core/shared-state.js';
import type { CallRecord } from './call-record.js';

/** The trace that a message belongs to, in the form of W3C Trace Context: as HTTP headers, or as members of `_meta` (SEP-414). */
export interface TraceCarrier {
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
  readonly baggage?: string | undefined;
}

/** The facts that are known when a call begins. */
export interface CallStart {
  /** The id of the request, in the spelling of `keyOf()`. */
  readonly key: string;
  readonly method: string;
  /** The name of the tool or prompt, or the URI of the resource. */
  readonly name: string | undefined;
  readonly params: Readonly<Record<string, unknown>>;
  /** The bytes of the message. */
  readonly bytes: number;
}

/** Makes spans of calls. `express-mcp-auth/telemetry` sets it. */
export interface CallTracer {
  /** Begins the span of a call that arrived in `req`. `parent` is the client's trace. */
  begin(call: CallStart, parent: TraceCarrier, req: IncomingMessage): CallSpan;
  /** Records the duration of a session that has ended. `revision` is the MCP revision, if it is known. */
  recordSession?(durationMs: number, revision?: string): void;
}

/** The span of one call. */
export interface CallSpan {
  /** Undefined if no OpenTelemetry SDK makes spans. */
  readonly traceId: string | undefined;
  /** Begins the span of this call at a target. `undefined` is a target without a name. */
  toTarget(target: string | undefined): TargetSpan;
  /** Runs `work` while this span is the active one. */
  run<T>(work: () => T): T;
  end(record: CallRecord): void;
}

/** The span of one call to one target. */
export interface TargetSpan {
  /** Sent with the message to the target, so that the spans of the target belong to the trace. */
  readonly carrier: TraceCarrier;
  /** `errorType` is absent if the target answered with a result. */
  end(errorType?: string): void;
}

/** The tracer in use, shared by all copies of the package in a process. */
export const callTracer: { current: CallTracer | undefined } = shareValue('callTracer', () => ({ current: undefined }));
