import type { AuthInfo } from '../core/auth-info.js';

/** When the caller's token expires, in milliseconds since 1970; never for strangers. */
export function expiryOf(auth: AuthInfo | undefined): number {
  return auth?.expiresAt === undefined ? Number.POSITIVE_INFINITY : auth.expiresAt * 1_000;
}
