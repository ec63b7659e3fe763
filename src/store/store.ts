/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>;

/** A token bucket: it starts full, and each call takes tokens from it. */
export interface StoreBucket {
  /** Names the bucket. Buckets with the same key have the same numbers. */
  readonly key: string;
  /** The most tokens that it can hold. */
  readonly capacity: number;
  /** The tokens that are added each time `everyMs` have passed. */
  readonly refill: number;
  /** Milliseconds from one refill to the next. */
  readonly everyMs: number;
  /** The tokens to take: 1 to `capacity`. */
  readonly cost: number;
}

/** A part of a list. */
export interface StoreList {
  /** In the order in which they were appended. */
  readonly entries: readonly string[];
  /** The place after the last entry, for the next call. The same as before if there is nothing more to read. */
  readonly cursor: string;
}

/**
 * Shares revocations, used proofs and the counts of limits among the replicas of a server: the memory of one process
 * (`createMemoryStore()`), Redis (`createRedisStore()`), or your own. Every method may be synchronous or return a promise, and fails by
 * throwing. Each must be atomic: of two calls at once, one is first.
 */
export interface Store {
  /** Returns the value that `add()` or `raise()` stored; undefined if there is none, or it has expired. */
  get(key: string): Awaitable<string | undefined>;
  /** Stores a value for `ttlMs` milliseconds. Returns false, and changes nothing, if the key has one. */
  add(key: string, value: string, ttlMs: number): Awaitable<boolean>;
  /** Appends an entry to a list. It may be dropped after `ttlMs` milliseconds, and not before. */
  append(list: string, entry: string, ttlMs: number): Awaitable<void>;
  /** Returns entries that were appended after `cursor`, or from the beginning. May return some of them; the next call then returns more. */
  since(list: string, cursor: string | undefined): Awaitable<StoreList>;
  /**
   * Takes from all buckets, or from none if one of them has too few tokens. Returns 0, or the milliseconds until all of them have
   * enough.
   */
  take(buckets: readonly StoreBucket[]): Awaitable<number>;
  /**
   * Stores a whole number, which `get()` returns as decimal text, unless the key has a higher one. It is kept for `ttlMs` milliseconds, or
   * for the time that the key has left if that is longer.
   *
   * Optional. Without it, each refresh of a token adds a key that stays until its login ends, after 30 days at most. With it, each login has
   * one key.
   */
  raise?(key: string, number: number, ttlMs: number): Awaitable<void>;
}
