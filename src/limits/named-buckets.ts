import { Generations } from '../store/generations.js';
import type { StoreBucket } from '../store/store.js';
import { shorten } from './short-name.js';

/** Names that callers choose, in one limit. */
const MAX_NAMES = 10_000;

/** The key that all other names share once there are too many. It has no colon before it, which every name gets. */
const OTHERS = 'others';

/**
 * The buckets of names that callers can invent, such as tools and addresses. Once too many are in use, further ones share one bucket:
 * to forget older ones instead would fill their buckets again.
 */
export class NamedBuckets {
  readonly #create: (suffix: string) => StoreBucket;
  readonly #max: number;
  readonly #buckets: Generations<StoreBucket>;
  readonly #others: StoreBucket;

  /** `create` takes the end of the bucket's key. `keepMs`: the time after which an unused bucket is full again. */
  constructor(create: (suffix: string) => StoreBucket, keepMs: number, max = MAX_NAMES) {
    this.#create = create;
    this.#max = max;
    this.#buckets = new Generations(max, keepMs);
    this.#others = create(OTHERS);
  }

  bucketOf(given: string): StoreBucket {
    const name = shorten(given);
    const known = this.#buckets.get(name, performance.now());
    if (known !== undefined) return known;
    if (this.#buckets.size >= this.#max) return this.#others;
    const bucket = this.#create(`:${name}`);
    this.#buckets.add(name, bucket);
    return bucket;
  }
}
