import { BridgeError } from './bridge-error.js';

/** How many children may be in use: by all, and by one user. Strangers share the cap of all. */
export class Quota {
  readonly #most: number;
  readonly #mostPerUser: number;
  readonly #perUser = new Map<string, number>();
  #taken = 0;

  constructor(most: number, mostPerUser: number) {
    this.#most = most;
    this.#mostPerUser = mostPerUser;
  }

  /** Takes a place for `user`, or refuses with the cap that is reached; undefined: a stranger. */
  take(user: string | undefined): void {
    const own = user === undefined ? 0 : (this.#perUser.get(user) ?? 0);
    if (own >= this.#mostPerUser) throw new BridgeError('too_many_sessions_of_user');
    if (this.#taken >= this.#most) throw new BridgeError('too_many_sessions');
    this.#taken++;
    if (user !== undefined) this.#perUser.set(user, own + 1);
  }

  /** Gives a place back. */
  release(user: string | undefined): void {
    this.#taken--;
    if (user === undefined) return;
    const left = (this.#perUser.get(user) ?? 1) - 1;
    if (left === 0) this.#perUser.delete(user);
    else this.#perUser.set(user, left);
  }
}
