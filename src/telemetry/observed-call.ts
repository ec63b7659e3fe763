import type { CallOutcome } from './call-record.js';
import type { CallSpan, CallStart, TargetSpan } from './call-tracer.js';

/** The end of a call. */
export interface CallEnd {
  readonly outcome: CallOutcome;
  /** The code of our refusal, or that of the JSON-RPC error. */
  readonly code?: string | number | undefined;
  /** The bytes of the answer's message. */
  readonly bytes?: number;
  /** The `result` of the answer, parsed, if the content is recorded. */
  readonly result?: unknown;
}

/** A call that has begun. Each part of the package that learns something about it says so here; its first end counts. */
export class ObservedCall {
  readonly start: CallStart;
  readonly span: CallSpan | undefined;
  /** The name of the target that got it. */
  target: string | undefined;
  readonly #onEnd: (call: ObservedCall, end: CallEnd) => void;
  #targetSpans: TargetSpan[] | undefined;
  #isOver = false;

  constructor(start: CallStart, span: CallSpan | undefined, onEnd: (call: ObservedCall, end: CallEnd) => void) {
    this.start = start;
    this.span = span;
    this.#onEnd = onEnd;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Says that the call goes to this target. Returns the span of that, if there are spans: its carrier must go with the message. */
  sendTo(target: string | undefined): TargetSpan | undefined {
    this.target = target;
    const span = this.span?.toTarget(target);
    if (span === undefined) return undefined;
    this.#targetSpans ??= [];
    this.#targetSpans.push(span);
    return span;
  }

  end(end: CallEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // Ending a span twice does nothing: one of several targets may have ended its own before.
    for (const span of this.#targetSpans ?? []) span.end(end.outcome === 'answered' ? undefined : errorTypeOf(end));
    this.#onEnd(this, end);
  }
}

/** The `error.type` of a span: a code, else the outcome. */
export function errorTypeOf({ outcome, code }: Pick<CallEnd, 'outcome' | 'code'>): string {
  return code === undefined ? outcome : String(code);
}
