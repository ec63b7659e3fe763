// A `Map` or `Set` whose members come and go with every request keeps them in memory until the next full collection: it often gets a new table,
// and V8 lets each old table point to the next one. These two do not.

/** A member of a {@link ShortLivedSet}. It can be in one set at a time. */
export interface Placed {
  /** Its place in the set, which sets it; -1 outside of it. */
  place: number;
}

/** A set of objects that live as long as a request. It has no order. */
export class ShortLivedSet<T extends Placed> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  /** Returns a copy, so that members may leave meanwhile. */
  values(): T[] {
    return [...this.#members];
  }

  add(member: T): void {
    member.place = this.#members.push(member) - 1;
  }

  /** Returns false for an object that is not in the set. */
  delete(member: T): boolean {
    const { place } = member;
    if (this.#members[place] !== member) return false;
    const last = this.#members.pop() as T;
    if (last !== member) {
      this.#members[place] = last;
      last.place = place;
    }
    member.place = -1;
    return true;
  }
}

/** A map whose values live as long as a request. */
export class ShortLivedMap<K, V> {
  /** An old table keeps the holders in memory, without their values. */
  readonly #holders = new Map<K, { value: V | undefined }>();

  get size(): number {
    return this.#holders.size;
  }

  has(key: K): boolean {
    return this.#holders.has(key);
  }

  get(key: K): V | undefined {
    return this.#holders.get(key)?.value;
  }

  set(key: K, value: V): void {
    this.delete(key);
    this.#holders.set(key, { value });
  }

  delete(key: K): void {
    const holder = this.#holders.get(key);
    if (holder === undefined) return;
    holder.value = undefined;
    this.#holders.delete(key);
  }

  keys(): K[] {
    return [...this.#holders.keys()];
  }

  values(): V[] {
    return this.entries().map(([, value]) => value);
  }

  /** Returns a copy, in the order in which the keys were set. */
  entries(): [key: K, value: V][] {
    return [...this.#holders].map(([key, { value }]) => [key, value as V]);
  }
}
