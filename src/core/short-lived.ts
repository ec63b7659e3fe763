/**
 * A map whose values live as long as a request. A `Map` in its place keeps each of them in memory until the next full collection: it often
 * gets a new table, and V8 lets each old table point to the next one. Here, the old tables keep only the keys and empty holders, so keys must be short.
 */
export class ShortLivedMap<K, V> {
  /** Emptied when the key is deleted. */
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

  /** Returns false if there is no such key. */
  delete(key: K): boolean {
    const holder = this.#holders.get(key);
    if (holder === undefined) return false;
    holder.value = undefined;
    return this.#holders.delete(key);
  }

  keys(): K[] {
    return [...this.#holders.keys()];
  }

  /** Returns a copy, in the order in which the keys were set. */
  values(): V[] {
    const values: V[] = [];
    for (const { value } of this.#holders.values()) values.push(value as V);
    return values;
  }

  /** Returns a copy, in the order in which the keys were set. */
  entries(): [key: K, value: V][] {
    return [...this.#holders].map(([key, { value }]) => [key, value as V]);
  }
}

/** A member of a {@link ShortLivedSet}. It can be in one set at a time. */
export interface Numbered {
  /** Its number in the set, which only the set writes; 0 before it is in one. */
  number: number;
}

/** A set of objects that live as long as a request. See {@link ShortLivedMap} for the reason. */
export class ShortLivedSet<T extends Numbered> {
  readonly #members = new ShortLivedMap<number, T>();
  #count = 0;

  get size(): number {
    return this.#members.size;
  }

  /** Returns a copy, in the order in which the members were added. */
  values(): T[] {
    return this.#members.values();
  }

  add(member: T): void {
    if (this.#has(member)) return;
    member.number = ++this.#count;
    this.#members.set(member.number, member);
  }

  /** Returns false for an object that is not in the set. */
  delete(member: T): boolean {
    return this.#has(member) && this.#members.delete(member.number);
  }

  #has(member: T): boolean {
    return this.#members.get(member.number) === member;
  }
}
