import type { CallOutcome } from './call-record.js';
import type { CallSpan, CallStart, TargetSpan } from './call-tracer.js';

/** The end of a call. */
export interface CallEnd {
  readonly outcome: CallOutcome;
  /** The code of a refusal of this package, or the code of the JSON-RPC error. */
  readonly code?: string | number | undefined;
  /** The bytes of the answer's message. */
  readonly bytes?: number | undefined;
  /** The `result` of the answer, parsed, if it is needed. */
  readonly result?: unknown;
}

/** The records of the HTTP request that a call came in. */
export interface CallOwner {
  /**
   * Returns the bytes of the longest answer to this call whose result is needed, parsed: for `recordContent`, or for the names in a list.
   * 0 if it is not needed.
   */
  maxResultBytesOf(call: ObservedCall): number;
  onEnd(call: ObservedCall, end: CallEnd): void;
}

/** A call that begins, with its span. */
export interface BegunCall {
  readonly start: CallStart;
  readonly span: CallSpan | undefined;
  /** The trace of the span, or else of the client. */
  readonly traceId: string | undefined;
}

const NONE = Object.freeze({});

/** A call that has begun. The parts of the package add what they learn about it. Only the first end counts. */
export class ObservedCall {
  readonly span: CallSpan | undefined;
  readonly traceId: string | undefined;
  /** The name of the target that got the call. */
  target: string | undefined;
  /** The id of the session that the call opened. */
  session: string | undefined;
  /** Set while the client cancels the call: its end if the server then ends the answer without a response. */
  cancellation: CallEnd | undefined;
  /** See `ObservedCalls.claim()`. */
  isClaimed = false;
  #start: CallStart;
  readonly #owner: CallOwner;
  #targetSpans: TargetSpan[] | undefined;
  #isOver = false;

  constructor({ start, span, traceId }: BegunCall, owner: CallOwner) {
    this.#start = start;
    this.span = span;
    this.traceId = traceId;
    this.#owner = owner;
  }

  get start(): CallStart {
    return this.#start;
  }

  /** Forgets the arguments. */
  dropParams(): void {
    this.#start = { ...this.#start, params: NONE };
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** See {@link CallOwner.maxResultBytesOf}. */
  get maxResultBytes(): number {
    return this.#owner.maxResultBytesOf(this);
  }

  /** Notes that the call goes to this target. Returns the span of the call to it, if there are spans: send its carrier with the message. */
  sendTo(target: string | undefined): TargetSpan | undefined {
    this.target = target;
    return this.alsoSendTo(target);
  }

  /** Like {@link sendTo}, for one of several targets. The record names none of them. */
  alsoSendTo(target: string | undefined): TargetSpan | undefined {
    const span = this.#isOver ? undefined : this.span?.toTarget(target);
    if (span === undefined) return undefined;
    this.#targetSpans ??= [];
    this.#targetSpans.push(span);
    return span;
  }

  end(end: CallEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // One of several targets may have ended its span before. Ending a span twice does nothing.
    for (const span of this.#targetSpans ?? []) span.end(errorTypeOf(end));
    this.#owner.onEnd(this, end);
  }
}

/** The `error.type` of a span: a code, else the outcome. Undefined for a call that was answered with a result. */
export function errorTypeOf({ outcome, code }: Pick<CallEnd, 'outcome' | 'code'>): string | undefined {
  if (outcome === 'answered') return undefined;
  return code === undefined ? outcome : String(code);
}
