/** Names that callers choose, in one limit. */
const MAX_NAMES = 10_000;

/** The name that all others share once there are too many. */
const OTHERS = 'others';

/**
 * Bounds the buckets that callers can make by inventing names or addresses: once too many names are in use, further ones share one
 * bucket. To forget older ones instead would fill their buckets again.
 */
export class BoundedNames {
  readonly #keepMs: number;
  readonly #max: number;
  /** When each name may be forgotten, in the order of these times. */
  readonly #until = new Map<string, number>();

  /** `keepMs`: the time after which an unused bucket is full again. */
  constructor(keepMs: number, max = MAX_NAMES) {
    this.#keepMs = keepMs;
    this.#max = max;
  }

  /** Returns the name itself, behind a colon so that no caller can choose the shared one; or the shared one. */
  boundedName(name: string): string {
    const now = performance.now();
    if (!this.#until.delete(name)) {
      for (const [other, until] of this.#until) {
        if (until > now) break;
        this.#until.delete(other);
      }
      if (this.#until.size >= this.#max) return OTHERS;
    }
    this.#until.set(name, now + this.#keepMs);
    return `:${name}`;
  }
}
