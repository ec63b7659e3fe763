/** A child in use. */
export interface Share {
  /** Nobody uses it any more. It may live on for some seconds, in which another one may take its place. */
  release(): void;
  /** Nothing is left of it. */
  gone(): void;
}

/** The cap that is reached: that of one user, or that of all together. */
export type FullCap = 'user' | 'all';

interface Count {
  used: number;
  alive: number;
}

/**
 * How many children may be in use: by all, and by one user. Strangers share the cap of all. Twice as many may be alive, since
 * those that do not want to end outlive their use.
 */
export class Quota {
  readonly #most: number;
  readonly #mostPerUser: number;
  readonly #perUser = new Map<string, Count>();
  readonly #all: Count = { used: 0, alive: 0 };

  constructor(most: number, mostPerUser: number) {
    this.#most = most;
    this.#mostPerUser = mostPerUser;
  }

  /** Takes a place for `user` (undefined: an anonymous caller), or says which cap is reached. */
  take(user: string | undefined): Share | FullCap {
    const own = (user !== undefined && this.#perUser.get(user)) || { used: 0, alive: 0 };
    if (isFull(own, this.#mostPerUser)) return 'user';
    if (isFull(this.#all, this.#most)) return 'all';
    if (user !== undefined) this.#perUser.set(user, own);
    const counts = [own, this.#all];
    for (const count of counts) {
      count.used++;
      count.alive++;
    }
    const less = (kind: keyof Count): void => {
      for (const count of counts) count[kind]--;
      // A child may be gone before whoever used it knows.
      if (user !== undefined && own.used === 0 && own.alive === 0) this.#perUser.delete(user);
    };
    return { release: () => less('used'), gone: () => less('alive') };
  }
}

function isFull({ used, alive }: Count, most: number): boolean {
  return used >= most || alive >= 2 * most;
}
