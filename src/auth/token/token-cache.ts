import { LRUCache } from 'lru-cache';
import { type AuthInfo, expiryOf } from '../../core/auth-info.js';
import type { TrustedIssuer } from '../../policy/resolve-issuer.js';
import type { KeySet } from '../keys/key-set.js';
import type { VerificationKey } from '../keys/verification-key.js';
import { sizeInMemory } from './size-in-memory.js';

/** A token that verified, with the key that did it. */
export interface VerifiedToken {
  readonly auth: AuthInfo;
  readonly key: VerificationKey;
  readonly keySet: KeySet;
  readonly trusted: TrustedIssuer;
}

interface Entry extends VerifiedToken {
  /** On the clock of `performance.now()`. */
  readonly until: number;
}

/** Tokens already verified, so that their next request pays for no cryptography. Failures are never remembered. */
export function createTokenCache(limits: { maxAgeSeconds: number; maxEntries: number; maxBytes: number }) {
  // Found by their last characters, which are quick to hash, and told apart by all of them: an entry is its whole token's and
  // no other's. Anything less has let one user in with another's claims (CVE-2026-35039).
  const entries = new LRUCache<string, Entry>({
    max: limits.maxEntries,
    maxSize: limits.maxBytes,
    sizeCalculation: ({ auth }) => sizeInMemory(auth),
  });
  return {
    remember(verified: VerifiedToken): void {
      const until = performance.now() + limits.maxAgeSeconds * 1000;
      entries.set(tailOf(verified.auth.token), { ...verified, until });
    },
    /** Undefined once the token has expired, its key has left the set, or it has been remembered for long enough. */
    recall(token: string): VerifiedToken | undefined {
      const tail = tailOf(token);
      const entry = entries.get(tail);
      if (entry === undefined || entry.auth.token !== token) return undefined;
      const isYoung = performance.now() < entry.until && Date.now() < expiryOf(entry.auth);
      if (isYoung && entry.keySet.has(entry.key)) return entry;
      entries.delete(tail);
      return undefined;
    },
    forget(matches: (auth: AuthInfo) => boolean): void {
      for (const [tail, { auth }] of entries.entries()) if (matches(auth)) entries.delete(tail);
    },
  };
}

/** The end of the signature: of a remembered token some 190 bits that nobody chose. */
function tailOf(token: string): string {
  return token.slice(-32);
}
