import type { StoreBucket } from './store.js';

/** What is remembered of a bucket that is not full. */
export interface BucketState {
  readonly tokens: number;
  /** When the tokens were last refilled, in milliseconds. */
  readonly filledAt: number;
}

/** Returns the tokens of a bucket at the time `now`. */
export function refilled(
  state: BucketState | undefined,
  { capacity, refill, everyMs }: StoreBucket,
  now: number,
): BucketState {
  if (state === undefined) return { tokens: capacity, filledAt: now };
  const fills = Math.floor((now - state.filledAt) / everyMs);
  if (fills < 1) return state;
  return { tokens: Math.min(capacity, state.tokens + fills * refill), filledAt: state.filledAt + fills * everyMs };
}

/** Returns the milliseconds from `now` until the bucket has `tokens`; 0 if it has them. */
export function waitFor(tokens: number, state: BucketState, { refill, everyMs }: StoreBucket, now: number): number {
  if (state.tokens >= tokens) return 0;
  return state.filledAt + Math.ceil((tokens - state.tokens) / refill) * everyMs - now;
}
