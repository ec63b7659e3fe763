import { type AuthInfo, expiryOf } from './auth-info.js';
import { createCallerValues, isRegisteredCaller } from './caller-values.js';
import { AuthError, type RefusalCode } from './errors.js';

/** The reason why an accepted token is no longer accepted, although it has not expired. */
export type Withdrawal = Extract<RefusalCode, 'token_revoked' | 'unknown_key' | 'unknown_api_key' | 'inactive_token'>;

const withdrawals = createCallerValues<() => Withdrawal | undefined>('withdrawal');

/**
 * Attaches the function that tells if this caller's token was withdrawn.
 *
 * @throws {Error} For an object that `issueAuth()` or `extendAuth()` did not return: its withdrawal would be lost.
 */
export function attachWithdrawal(auth: AuthInfo, find: () => Withdrawal | undefined): void {
  if (!isRegisteredCaller(auth)) throw new Error('attachWithdrawal(): the identity is not one that was issued');
  withdrawals.set(auth, find);
}

/** Asks the `mcpAuth()` that accepted the token for a withdrawal. Undefined if the token is still accepted. */
export function withdrawalOf(auth: AuthInfo | undefined): Withdrawal | undefined {
  return auth && withdrawals.get(auth)?.();
}

/** True if everything that this caller opened has to end: the token has expired or was withdrawn. */
export function isExpiredOrWithdrawn(auth: AuthInfo | undefined): boolean {
  return Date.now() >= expiryOf(auth) || withdrawalOf(auth) !== undefined;
}

/**
 * Checks the token again for a request that had to wait after the first check.
 *
 * @throws {AuthError} If the token was withdrawn in the meantime. An expired token is not refused.
 */
export function requireNotWithdrawn(auth: AuthInfo | undefined): void {
  const withdrawal = withdrawalOf(auth);
  if (withdrawal !== undefined) throw new AuthError(withdrawal);
}

/** The token that keeps something open between requests, such as a session: of all tokens used with it, the last to expire. */
export class LatestToken {
  #auth: AuthInfo | undefined;
  #invalidSince: number | undefined;

  constructor(auth: AuthInfo | undefined) {
    this.#auth = auth;
  }

  renew(auth: AuthInfo | undefined): void {
    if (auth === this.#auth) return;
    if (expiryOf(auth) >= expiryOf(this.#auth) || isExpiredOrWithdrawn(this.#auth)) this.#auth = auth;
  }

  /** Returns when the token was first seen expired or withdrawn, on the clock of `performance.now()`. Undefined while it is valid. */
  invalidSince(now: number): number | undefined {
    this.#invalidSince = isExpiredOrWithdrawn(this.#auth) ? (this.#invalidSince ?? now) : undefined;
    return this.#invalidSince;
  }
}
