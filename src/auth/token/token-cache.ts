import { LRUCache } from 'lru-cache';
import { type AuthInfo, expiryOf } from '../../core/auth-info.js';
import type { Withdrawal } from '../../core/token-validity.js';
import type { TrustedIssuer } from '../../policy/resolve-issuer.js';
import type { VerificationKey } from '../keys/verification-key.js';
import { sizeInMemory } from './size-in-memory.js';

/** The kind of a credential, which follows from its form and its place in the request. */
export type CredentialKind = 'jwt' | 'apiKey' | 'issued' | 'opaque';

/** The key that verified a JWT, and its issuer. */
export interface VerifiedJwt {
  readonly key: VerificationKey;
  readonly trusted: TrustedIssuer;
}

/** A verified credential. */
export interface VerifiedToken {
  readonly auth: AuthInfo;
  readonly kind: CredentialKind;
  /** True while it may be accepted without being verified again. Called for every request, so it must be cheap. */
  readonly isCurrent: () => boolean;
  /** The reason why it is no longer accepted, although it has not expired. */
  readonly withdrawal: () => Withdrawal | undefined;
  /** Undefined for a credential that is not a JWT. */
  readonly jwt: VerifiedJwt | undefined;
}

interface Entry extends VerifiedToken {
  /** On the clock of `performance.now()`. */
  readonly until: number;
}

/** Remembers verified tokens, so that their next request needs no cryptography. Failures are never remembered. */
export function createTokenCache(limits: { maxAgeSeconds: number; maxEntries: number; maxBytes: number }) {
  // The key is the end of a token, which is quick to hash; recall() then compares the whole token. Other caches compared
  // less, and gave one user the claims of another (CVE-2026-35039).
  const entries = new LRUCache<string, Entry>({
    maxSize: limits.maxBytes,
    sizeCalculation: ({ auth }) => sizeInMemory(auth),
  });
  return {
    remember(verified: VerifiedToken): void {
      const until = performance.now() + limits.maxAgeSeconds * 1000;
      entries.set(keyOf(verified.auth.token, verified.auth.tenant), { ...verified, until });
      // Not by the option `max`: see atMost() in core/.
      if (entries.size > limits.maxEntries) entries.pop();
    },
    /** Undefined once the token has expired, it is no longer current, or `maxAgeSeconds` have passed. */
    recall(token: string, tenant: string | undefined): VerifiedToken | undefined {
      const key = keyOf(token, tenant);
      const entry = entries.get(key);
      if (entry === undefined || entry.auth.token !== token || entry.auth.tenant !== tenant) return undefined;
      const isYoung = performance.now() < entry.until && Date.now() < expiryOf(entry.auth);
      if (isYoung && entry.isCurrent()) return entry;
      entries.delete(key);
      return undefined;
    },
    forget(matches: (auth: AuthInfo) => boolean): void {
      for (const [key, { auth }] of entries.entries()) if (matches(auth)) entries.delete(key);
    },
  };
}

/** A token is remembered once for each tenant of the resource: it may be good for one and not for another. */
function keyOf(token: string, tenant: string | undefined): string {
  return tenant === undefined ? tailOf(token) : `${tailOf(token)} ${tenant}`;
}

/**
 * The end of a token. In a JWT it is the end of the signature: about 190 bits that a client cannot choose, because the signature of a
 * remembered token is valid.
 */
function tailOf(token: string): string {
  return token.slice(-32);
}
