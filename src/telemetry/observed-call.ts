import type { CallOutcome } from './call-record.js';
import type { CallSpan, CallStart, TargetSpan } from './call-tracer.js';

/** The end of a call. */
export interface CallEnd {
  readonly outcome: CallOutcome;
  /** The code of our refusal, or that of the JSON-RPC error. */
  readonly code?: string | number | undefined;
  /** The bytes of the answer's message. */
  readonly bytes?: number | undefined;
  /** The `result` of the answer, parsed, if it is needed. */
  readonly result?: unknown;
}

/** The HTTP request of a call. */
export interface CallOwner {
  /**
   * Returns the bytes of the longest answer to this call whose result is needed, parsed: for `recordContent`, or for the names in a list.
   * 0 if it is not needed.
   */
  maxResultBytesOf(call: ObservedCall): number;
  onEnd(call: ObservedCall, end: CallEnd): void;
}

/** The facts about a call when it begins. */
export interface BegunCall {
  readonly start: CallStart;
  readonly span: CallSpan | undefined;
  /** That of the span, or else of the client. */
  readonly traceId: string | undefined;
}

/** A call that has begun. Each part of the package that learns something about it says so here; its first end counts. */
export class ObservedCall {
  readonly span: CallSpan | undefined;
  readonly traceId: string | undefined;
  /** The name of the target that got it. */
  target: string | undefined;
  /** The id of the session that it opened. */
  session: string | undefined;
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

  /** Keeps the arguments no longer. */
  dropParams(): void {
    this.#start = { ...this.#start, params: {} };
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** See {@link CallOwner.maxResultBytesOf}. */
  get maxResultBytes(): number {
    return this.#owner.maxResultBytesOf(this);
  }

  /** Says that the call goes to this target. Returns the span of that, if there are spans: its carrier must go with the message. */
  sendTo(target: string | undefined): TargetSpan | undefined {
    this.target = target;
    return this.alsoSendTo(target);
  }

  /** Says that a message for this call goes to one of several targets. The record names none of them. Otherwise as {@link sendTo}. */
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
    // Ending a span twice does nothing: one of several targets may have ended its own before.
    for (const span of this.#targetSpans ?? []) span.end(errorTypeOf(end));
    this.#owner.onEnd(this, end);
  }
}

/** The `error.type` of a span: a code, else the outcome. Undefined for a call that was answered with a result. */
export function errorTypeOf({ outcome, code }: Pick<CallEnd, 'outcome' | 'code'>): string | undefined {
  if (outcome === 'answered') return undefined;
  return code === undefined ? outcome : String(code);
}
