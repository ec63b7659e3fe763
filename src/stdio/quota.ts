import type { AuthInfo } from '../auth-info.js';
import { BridgeError } from './bridge-error.js';
import type { Principal } from './principal.js';

/** How many children may be in use: by all, and by one user. Strangers share the cap of all. */
export class Quota {
  readonly #most: number;
  readonly #mostPerUser: number;
  readonly #perUser = new Map<Principal, number>();
  #taken = 0;

  constructor(most: number, mostPerUser: number) {
    this.#most = most;
    this.#mostPerUser = mostPerUser;
  }

  /** Takes a place, or refuses with the cap that is reached. */
  take(principal: Principal, auth: AuthInfo | undefined): void {
    const own = this.#perUser.get(principal) ?? 0;
    if (auth !== undefined && own >= this.#mostPerUser) throw new BridgeError('too_many_sessions_of_user');
    if (this.#taken >= this.#most) throw new BridgeError('too_many_sessions');
    this.#taken++;
    this.#perUser.set(principal, own + 1);
  }

  /** Gives a place back. */
  release(principal: Principal): void {
    const left = (this.#perUser.get(principal) ?? 1) - 1;
    this.#taken--;
    if (left === 0) this.#perUser.delete(principal);
    else this.#perUser.set(principal, left);
  }
}
