import type { ResolvedStdio } from './stdio-options.js';

/** Whether what nobody uses at `now` is to end: it was idle for too long, or no token that was used on it counts any more. */
export function isAbandoned(
  { lastUsed, expiresAt }: { readonly lastUsed: number; readonly expiresAt: number },
  now: number,
  { idleTimeoutSeconds, expiryGraceSeconds }: ResolvedStdio,
): boolean {
  const isExpired = now - Math.max(expiresAt, lastUsed) >= expiryGraceSeconds * 1_000;
  return isExpired || now - lastUsed >= idleTimeoutSeconds * 1_000;
}
