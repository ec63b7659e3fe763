import type { LatestToken } from '../core/token-validity.js';
import type { ResolvedBridge } from './bridge-options.js';

/** True if an unused session or connection must end: it was idle for `idleTimeoutSeconds`, or its last token has been invalid for `expiryGraceSeconds`. */
export function isAbandoned(
  { lastUsed, latestToken }: { readonly lastUsed: number; readonly latestToken: LatestToken },
  now: number,
  { idleTimeoutSeconds, expiryGraceSeconds }: ResolvedBridge,
): boolean {
  if (now - lastUsed >= idleTimeoutSeconds * 1_000) return true;
  const invalidSince = latestToken.invalidSince(now);
  return invalidSince !== undefined && now - Math.max(invalidSince, lastUsed) >= expiryGraceSeconds * 1_000;
}
