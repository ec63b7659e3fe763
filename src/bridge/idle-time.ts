import type { LastingAuthority } from '../core/authority.js';
import type { ResolvedBridge } from './bridge-options.js';

/** True if an unused session or connection must end: it was idle for `idleTimeoutSeconds`, or its last token has been invalid for `expiryGraceSeconds`. */
export function isAbandoned(
  { lastUsed, authority }: { readonly lastUsed: number; readonly authority: LastingAuthority },
  now: number,
  { idleTimeoutSeconds, expiryGraceSeconds }: ResolvedBridge,
): boolean {
  if (now - lastUsed >= idleTimeoutSeconds * 1_000) return true;
  const overSince = authority.overSince(now);
  return overSince !== undefined && now - Math.max(overSince, lastUsed) >= expiryGraceSeconds * 1_000;
}
