import type { CallOutcome, CallRecord } from '../telemetry/call-record.js';

/** The numbers of one second. Durations are in milliseconds. */
export interface SecondNumbers {
  readonly calls: number;
  readonly errors: number;
  readonly refused: number;
  /** Absent in a second without calls. */
  readonly p50?: number;
  readonly p95?: number;
}

const ERRORS: ReadonlySet<CallOutcome> = new Set(['tool_error', 'protocol_error', 'timed_out', 'target_failed']);
const REFUSED: ReadonlySet<CallOutcome> = new Set(['denied', 'limited']);

/** Durations of one second that percentiles are computed from. If there are more, a random sample of this size is used. */
const MAX_DURATIONS = 1_000;

/** True for a call that failed or was refused, which operators look for. */
export function isFailedCall({ outcome }: CallRecord): boolean {
  return ERRORS.has(outcome) || REFUSED.has(outcome);
}

/** Counts the calls and refusals of one second. */
export class CallNumbers {
  #calls = 0;
  #errors = 0;
  #refused = 0;
  #durations: number[] = [];

  addCall({ outcome, durationMs }: CallRecord): void {
    this.#calls += 1;
    if (ERRORS.has(outcome)) this.#errors += 1;
    if (REFUSED.has(outcome)) this.#refused += 1;
    if (this.#durations.length < MAX_DURATIONS) this.#durations.push(durationMs);
    else {
      const place = Math.floor(Math.random() * this.#calls);
      if (place < MAX_DURATIONS) this.#durations[place] = durationMs;
    }
  }

  /** Counts a request that `mcpAuth()` refused. */
  addRefusal(): void {
    this.#refused += 1;
  }

  /** Returns the numbers of the second that ends, and begins the next one. */
  next(): SecondNumbers {
    const sorted = this.#durations.sort((a, b) => a - b);
    const numbers = { calls: this.#calls, errors: this.#errors, refused: this.#refused, ...percentiles(sorted) };
    this.#calls = 0;
    this.#errors = 0;
    this.#refused = 0;
    this.#durations = [];
    return numbers;
  }
}

function percentiles(sorted: readonly number[]): Pick<SecondNumbers, 'p50' | 'p95'> {
  const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1];
  const [p50, p95] = [at(0.5), at(0.95)];
  return p50 === undefined || p95 === undefined ? {} : { p50, p95 };
}
