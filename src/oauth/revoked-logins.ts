import { shareValue } from '../core/shared-state.js';
import type { IssuedToken } from './issued-token.js';

/** A login that was revoked. */
export interface RevokedLogin {
  /** {@link IssuedToken.login} of its tokens. */
  readonly login: string;
  /** Milliseconds since 1970: when the last of its tokens expires. */
  readonly expiry: number;
}

/** About 150 MB. To drop a login before its tokens have expired would let them in. */
const MAX_LOGINS = 1_000_000;

/** Tokens are accepted for a while after they expire, and clocks may be wrong. */
const SPARE_MS = 86_400_000;

/**
 * The expiry of each login that was revoked in this process. It does not belong to a policy: after a reload another policy may accept the
 * tokens, and an application may give a copy of the options to the OAuth proxy.
 */
const logins = shareValue('revoked logins', () => new Map<string, number>());

/** @throws {RangeError} If more than 1,000,000 logins are revoked. */
export function rememberRevokedLogin({ login, expiry }: RevokedLogin): void {
  if (logins.size >= MAX_LOGINS && !logins.has(login)) forgetExpired();
  if (logins.size >= MAX_LOGINS && !logins.has(login))
    throw new RangeError(`more than ${MAX_LOGINS} logins are revoked`);
  logins.set(login, Math.max(expiry, logins.get(login) ?? 0));
}

function forgetExpired(): void {
  const now = Date.now();
  for (const [login, expiry] of logins) if (expiry + SPARE_MS < now) logins.delete(login);
}

/** True if this process has revoked the login. */
export function isRevokedLogin(login: string): boolean {
  return logins.has(login);
}
