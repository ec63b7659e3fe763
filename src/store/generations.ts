/**
 * A bounded map that forgets values that have not been used for a while: at least `keepMs`, unless it is full. It is quicker than one that
 * keeps the order of use, which costs more than a whole call of `mcpLimits()`.
 */
export class Generations<T> {
  readonly #max: number;
  #keepMs: number;
  #young = new Map<string, T>();
  #old = new Map<string, T>();
  #turnAt = Number.NEGATIVE_INFINITY;

  constructor(max: number, keepMs = 0) {
    this.#max = max;
    this.#keepMs = keepMs;
  }

  /** Never less than the number of keys that are kept. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Keeps unused values for at least this time from now on. */
  keepFor(ms: number): void {
    if (ms > this.#keepMs) this.#keepMs = ms;
  }

  /** Returns a value, which counts as used. `now` is on the clock of `performance.now()`. */
  get(key: string, now: number): T | undefined {
    this.#turn(now);
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.#young.set(key, old);
    return old;
  }

  /** Adds a value. If the map is full, removes up to half of the values: those that have not been used for the longest time. */
  add(key: string, value: T): void {
    if (this.size >= this.#max) {
      if (this.#young.size * 2 >= this.#max) this.#age();
      else this.#old.clear();
    }
    this.#young.set(key, value);
  }

  /** Forgets everything that has not been used since the last turn. */
  #turn(now: number): void {
    if (now < this.#turnAt) return;
    this.#turnAt = now + this.#keepMs;
    this.#age();
  }

  #age(): void {
    this.#old = this.#young;
    this.#young = new Map();
  }
}
