import type { LastingAuthority } from '../core/authority.js';
import type { ResolvedStdio } from './stdio-options.js';

/** True if a session or child that is unused at `now` has to end: it was idle for too long, or no token that was used on it is valid any more. */
export function isAbandoned(
  { lastUsed, authority }: { readonly lastUsed: number; readonly authority: LastingAuthority },
  now: number,
  { idleTimeoutSeconds, expiryGraceSeconds }: ResolvedStdio,
): boolean {
  if (now - lastUsed >= idleTimeoutSeconds * 1_000) return true;
  const overSince = authority.overSince(now);
  return overSince !== undefined && now - Math.max(overSince, lastUsed) >= expiryGraceSeconds * 1_000;
}
