import type { Advice } from '../core/advice.js';

/** The line to warn with at construction if a backend lets web pages of every origin in; empty if it does not. */
export function everyOriginWarning(
  { allowedOrigins }: { readonly allowedOrigins: readonly string[] | undefined },
  { everyOrigin }: Advice,
): string[] {
  return allowedOrigins?.includes('*') && everyOrigin !== undefined
    ? [`allowedOrigins has "*", so web pages of every origin may send requests: ${everyOrigin}`]
    : [];
}
