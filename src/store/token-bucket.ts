import type { StoreBucket } from './store.js';

/** The state of a bucket. */
export interface BucketState {
  tokens: number;
  /** The time of the last refill, on the clock of `performance.now()`. */
  filledAt: number;
  /** False for a full bucket that nothing has been taken from. */
  isKept: boolean;
}

/** Adds the tokens that have come back. */
export function refill(state: BucketState, { capacity, refill: tokens, everyMs }: StoreBucket, now: number): void {
  const fills = Math.floor((now - state.filledAt) / everyMs);
  if (fills < 1) return;
  state.tokens = Math.min(capacity, state.tokens + fills * tokens);
  state.filledAt += fills * everyMs;
}

/** Returns the milliseconds until the bucket has the tokens that the call costs; 0 if it has them now. */
export function waitFor(
  { tokens, filledAt }: BucketState,
  { cost, refill: back, everyMs }: StoreBucket,
  now: number,
): number {
  if (tokens >= cost) return 0;
  return filledAt + Math.ceil((cost - tokens) / back) * everyMs - now;
}
