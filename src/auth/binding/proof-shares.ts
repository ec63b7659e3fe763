/** The most proofs that are remembered: of all owners, and of one. */
export interface MaxProofs {
  readonly total: number;
  readonly each: number;
}

/** Names the groups that an owner belongs to. No group has the name of an owner. */
export type GroupsOf = (owner: string) => readonly string[];

/** Counts the remembered proofs of each owner, and of each group of owners. */
export class ProofShares {
  readonly #max: MaxProofs;
  readonly #groupsOf: GroupsOf;
  readonly #counts = new Map<string, number>();
  #all = 0;

  constructor(max: MaxProofs, groupsOf: GroupsOf) {
    this.#max = max;
    this.#groupsOf = groupsOf;
  }

  /**
   * True if `owner` must wait until one of its proofs expires. The free room must be larger than what the owner and its groups have, so
   * some room is left for owners with few proofs, however many others take as much as they can.
   */
  isFull(owner: string): boolean {
    const used = this.#namesOf(owner).reduce((sum, name) => sum + this.#of(name), 0);
    return this.#of(owner) >= this.#max.each || used >= this.#max.total - this.#all;
  }

  add(owner: string): void {
    this.#change(owner, 1);
  }

  remove(owner: string): void {
    this.#change(owner, -1);
  }

  #change(owner: string, by: 1 | -1): void {
    this.#all += by;
    for (const name of this.#namesOf(owner)) {
      const count = this.#of(name) + by;
      if (count === 0) this.#counts.delete(name);
      else this.#counts.set(name, count);
    }
  }

  #of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  #namesOf(owner: string): readonly string[] {
    return [owner, ...this.#groupsOf(owner)];
  }
}
