import { LRUCache } from 'lru-cache';
import type { Renewal } from './renewal-chains.js';

/** The length of all renewals, as JSON. */
const MAX_LENGTH = 32 * 1_024 * 1_024;
/** The longest time for which a renewal stays in memory after the time for which it is kept: it contains tokens. */
const PURGE_EVERY_MS = 600_000;

/** The memory of a process for renewals. The least recently used ones are dropped beyond its bound. */
export class RenewalMemory {
  readonly #renewals = new LRUCache<string, Renewal>({
    maxSize: MAX_LENGTH,
    sizeCalculation: (renewal) => JSON.stringify(renewal).length,
    perf: { now: () => performance.now() },
  });
  #isScheduled = false;

  /** The number of renewals. */
  get size(): number {
    return this.#renewals.size;
  }

  get(key: string): Renewal | undefined {
    return this.#renewals.get(key);
  }

  set(key: string, renewal: Renewal, keepMs: number): void {
    this.#renewals.set(key, renewal, { ttl: keepMs });
    if (!this.#isScheduled) this.#schedule();
  }

  delete(key: string): boolean {
    return this.#renewals.delete(key);
  }

  /** The timer keeps neither the process nor this memory alive, which a reload may have left behind. */
  #schedule(): void {
    const self = new WeakRef(this);
    this.#isScheduled = true;
    setTimeout(() => self.deref()?.purge(), PURGE_EVERY_MS).unref();
  }

  /** Drops the renewals whose time is over. */
  purge(): void {
    this.#renewals.purgeStale();
    this.#isScheduled = false;
    if (this.size > 0) this.#schedule();
  }
}
