import { Generations } from '../store/generations.js';
import { shorten } from './short-name.js';

/** Bounds the names of one limit that callers choose. */
const MAX_NAMES = 10_000;

/** The end of the shared bucket's key. Names get a colon before them, so no name has this key. */
const OTHERS = 'others';

/**
 * The buckets of names that callers can invent, such as tools and addresses. Once too many are in use, further ones share one bucket:
 * if older ones were forgotten instead, their buckets would be full again.
 */
export class NamedBuckets<Bucket> {
  readonly #create: (suffix: string) => Bucket;
  readonly #max: number;
  readonly #buckets: Generations<Bucket>;
  readonly #others: Bucket;

  /**
   * @param create Takes the end of the bucket's key, if buckets have keys.
   * @param keepMs The time after which an unused bucket is full again.
   */
  constructor(create: (suffix: string) => Bucket, keepMs: number, max = MAX_NAMES) {
    this.#create = create;
    this.#max = max;
    this.#buckets = new Generations(max, keepMs);
    this.#others = create(OTHERS);
  }

  bucketOf(given: string): Bucket {
    const name = shorten(given);
    const known = this.#buckets.get(name, performance.now());
    if (known !== undefined) return known;
    if (this.#buckets.size >= this.#max) return this.#others;
    const bucket = this.#create(`:${name}`);
    this.#buckets.add(name, bucket);
    return bucket;
  }
}
