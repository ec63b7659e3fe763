import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.js';
import { Generations } from './generations.js';
import type { Store, StoreBucket, StoreList } from './store.js';
import { type BucketState, refill, waitFor } from './token-bucket.js';

/**
 * Bounds the values, and the entries of a list. Beyond it, `add()`, `append()` and `raise()` fail: if an older one were dropped, a used
 * proof or a revoked token would pass.
 */
const MAX_ENTRIES = 100_000;

/** Buckets that are not full. Beyond it, the least recently used ones count as full again. */
const MAX_BUCKETS = 100_000;

/** The stores in the memory of this process: what they know ends with it. */
const memoryStores = new WeakSet<Store>();

/** True for a store that `createMemoryStore()` returned. */
export function isMemoryStore(store: Store): boolean {
  return memoryStores.has(store);
}

/**
 * Creates a store in the memory of this process. Give it to several `mcpLimits()` and `mcpAuth()` to make them count together, or
 * to a test. Replicas need `createRedisStore()`.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { createMemoryStore, mcpLimits } from 'express-mcp-auth';
 *
 * const store = createMemoryStore();
 * const limits = [{ per: 'user', tokens: 60, refill: 60, every: '1m' }] as const;
 * const app = express();
 * app.use('/files', mcpLimits(limits, { store }));
 * app.use('/notes', mcpLimits(limits, { store })); // the calls of a user to both paths count together
 * ```
 */
export function createMemoryStore(): Store {
  const values = new LRUCache<string, string>({ ...atMost(MAX_ENTRIES), ttlResolution: 0 });
  const lists = new Map<string, List>();
  const take = createBuckets();

  function set(key: string, value: string, ttlMs: number): void {
    if (!values.has(key) && values.size >= MAX_ENTRIES) {
      values.purgeStale();
      if (values.size >= MAX_ENTRIES) throw new Error(`the store in memory is full: it has ${MAX_ENTRIES} values`);
    }
    values.set(key, value, { ttl: Math.ceil(ttlMs) });
  }

  function append(list: string, entry: string, ttlMs: number): void {
    const entries = lists.get(list) ?? new List();
    lists.set(list, entries);
    entries.append(entry, ttlMs);
  }

  const store: Store = {
    get: (key) => values.get(key),
    add(key, value, ttlMs) {
      if (values.has(key)) return false;
      set(key, value, ttlMs);
      return true;
    },
    append,
    since: (list, cursor) => lists.get(list)?.since(cursor) ?? { entries: [], cursor: cursor ?? '0' },
    take: (buckets) => take(buckets),
    raise(key, number, ttlMs) {
      const known = Number(values.get(key) ?? number);
      set(key, String(Math.max(number, known)), Math.max(ttlMs, values.getRemainingTTL(key)));
    },
  };
  memoryStores.add(store);
  return store;
}

/** Takes from all buckets or none, as `Store.take()`. `onShort` gets the place of each bucket that has too few tokens. */
export type TakeFromBuckets = (buckets: readonly StoreBucket[], onShort?: (place: number) => void) => number;

/** Creates token buckets that are taken from together. */
export function createBuckets(max = MAX_BUCKETS): TakeFromBuckets {
  // A full bucket needs no memory, so a bucket is forgotten when it has not been used for as long as an empty one takes to fill.
  const kept = new Generations<BucketState>(max);
  return (buckets, onShort) => {
    const now = performance.now();
    const states: BucketState[] = [];
    let wait = 0;
    for (let place = 0; place < buckets.length; place++) {
      const bucket = buckets[place] as StoreBucket;
      const state = kept.get(bucket.key, now) ?? { tokens: bucket.capacity, filledAt: now, isKept: false };
      refill(state, bucket, now);
      const own = waitFor(state, bucket, now);
      if (own > 0) onShort?.(place);
      wait = Math.max(wait, own);
      states.push(state);
    }
    if (wait > 0) return wait;
    for (let i = 0; i < states.length; i++) {
      const [state, bucket] = [states[i] as BucketState, buckets[i] as StoreBucket];
      state.tokens -= bucket.cost;
      if (state.isKept) continue;
      state.isKept = true;
      kept.keepFor(Math.ceil(bucket.capacity / bucket.refill) * bucket.everyMs);
      kept.add(bucket.key, state);
    }
    return 0;
  };
}

interface ListEntry {
  readonly place: number;
  readonly entry: string;
  /** On the clock of `performance.now()`. */
  readonly until: number;
}

/** The length of a list at which expired entries are removed for the first time. */
const SWEEP_AT = 1_000;

class List {
  #entries: ListEntry[] = [];
  #last = 0;
  #sweepAt = SWEEP_AT;

  append(entry: string, ttlMs: number): void {
    const now = performance.now();
    if (this.#entries.length >= this.#sweepAt) {
      this.#entries = this.#entries.filter(({ until }) => until > now);
      this.#sweepAt = Math.min(MAX_ENTRIES, Math.max(SWEEP_AT, 2 * this.#entries.length));
    }
    if (this.#entries.length >= MAX_ENTRIES)
      throw new Error(`the store in memory is full: a list has ${MAX_ENTRIES} entries`);
    this.#last += 1;
    this.#entries.push({ place: this.#last, entry, until: now + ttlMs });
  }

  since(cursor: string | undefined): StoreList {
    const now = performance.now();
    const after = Number(cursor ?? 0);
    // The entries are in the order of their places, and a reader mostly asks for the last ones.
    let first = this.#entries.length;
    while (first > 0 && (this.#entries[first - 1] as ListEntry).place > after) first--;
    const entries = this.#entries.slice(first).filter(({ until }) => until > now);
    return { entries: entries.map(({ entry }) => entry), cursor: String(this.#last) };
  }
}
