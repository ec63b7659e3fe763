import { LRUCache } from 'lru-cache';
import type { Renewal } from './renewal-chains.js';

/** The length of all renewals, as JSON. */
const MAX_LENGTH = 32 * 1_024 * 1_024;
/** The longest time for which a renewal that is over stays in memory: it contains tokens. */
const PURGE_EVERY_MS = 600_000;

export type RenewalMemory = ReturnType<typeof createRenewalMemory>;

/** Creates the memory of a process for renewals. The least recently used ones are dropped beyond its bound. */
export function createRenewalMemory() {
  const renewals = new LRUCache<string, Renewal>({
    maxSize: MAX_LENGTH,
    sizeCalculation: (renewal) => JSON.stringify(renewal).length,
    perf: { now: () => performance.now() },
  });
  let isScheduled = false;
  const schedule = () => {
    isScheduled = renewals.size > 0;
    if (isScheduled) setTimeout(purge, PURGE_EVERY_MS).unref();
  };
  const purge = () => {
    renewals.purgeStale();
    schedule();
  };
  return {
    /** The number of renewals. */
    get size(): number {
      return renewals.size;
    },
    get: (key: string): Renewal | undefined => renewals.get(key),
    set(key: string, renewal: Renewal, keepMs: number): void {
      renewals.set(key, renewal, { ttl: keepMs });
      if (!isScheduled) schedule();
    },
    delete: (key: string): boolean => renewals.delete(key),
  };
}
