import { type AuthInfo, expiryOf } from './auth-info.js';
import { AuthError, type RefusalCode } from './errors.js';
import { shareValue } from './shared-state.js';

/** The reason why a token that was accepted, and has not expired, is no longer accepted. */
export type Withdrawal = Extract<RefusalCode, 'token_revoked' | 'unknown_key'>;

const withdrawals = shareValue('withdrawals', () => new WeakMap<AuthInfo, () => Withdrawal | undefined>());

/** Says how to find out whether this caller's token was withdrawn. */
export function attachWithdrawal(auth: AuthInfo, find: () => Withdrawal | undefined): void {
  withdrawals.set(auth, find);
}

/** Asks the `mcpAuth()` that accepted the token whether it would still do so; undefined where it would. */
export function withdrawalOf(auth: AuthInfo | undefined): Withdrawal | undefined {
  return auth && withdrawals.get(auth)?.();
}

/** True if all that this caller opened has to end: the token has expired, or was withdrawn. */
export function isOver(auth: AuthInfo | undefined): boolean {
  return Date.now() >= expiryOf(auth) || withdrawalOf(auth) !== undefined;
}

/**
 * For a request that had to wait after its token was checked.
 *
 * @throws {AuthError} Where the token was withdrawn meanwhile.
 */
export function requireAuthority(auth: AuthInfo | undefined): void {
  const withdrawal = withdrawalOf(auth);
  if (withdrawal !== undefined) throw new AuthError(withdrawal);
}

/** The token in whose name something lives on between requests: of those that were used on it, the one that lasts longest. */
export class LastingAuthority {
  #auth: AuthInfo | undefined;
  #overSince: number | undefined;

  constructor(auth: AuthInfo | undefined) {
    this.#auth = auth;
  }

  renew(auth: AuthInfo | undefined): void {
    if (auth === this.#auth) return;
    if (expiryOf(auth) >= expiryOf(this.#auth) || isOver(this.#auth)) this.#auth = auth;
  }

  /** Since when it has been over, on the clock of `performance.now()`; undefined while it is not. */
  overSince(now: number): number | undefined {
    this.#overSince = isOver(this.#auth) ? (this.#overSince ?? now) : undefined;
    return this.#overSince;
  }
}
