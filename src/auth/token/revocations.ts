import { createHash } from 'node:crypto';
import type { AuthInfo } from '../../core/auth-info.js';
import { ignoreRejection } from '../../core/ignore-rejection.js';
import { parseCompactJwt } from './compact-jwt.js';

interface Rule {
  readonly matches: (auth: AuthInfo) => boolean;
  /** Seconds since 1970. */
  readonly madeAt: number;
}

interface RevokedToken {
  /** Milliseconds since 1970. */
  readonly expiry: number;
  /** The same on the clock of `performance.now()`: a date that was wrong for a while must not bring the token back. */
  readonly keptUntil: number;
}

/** Tokens that are refused although they verify. */
export function createRevocations(clockToleranceSeconds: number) {
  /** By a hash of header and payload, so that all are of one size. */
  const tokens = new Map<string, RevokedToken>();
  // Kept for good: which tokens a rule means, and until when they last, only the tokens can tell.
  const rules: Rule[] = [];

  function addToken(token: string): void {
    const now = Date.now();
    const elapsed = performance.now();
    for (const [signed, { expiry, keptUntil }] of tokens) {
      if (expiry < now && keptUntil < elapsed) tokens.delete(signed);
    }
    const expiry = (expiryOf(token) + clockToleranceSeconds) * 1000;
    tokens.set(hashOfSigned(token), { expiry, keptUntil: elapsed + expiry - now });
  }

  /** A rule is for the tokens that were out when it was made: a user who logs in again is let in again. */
  function applies({ matches, madeAt }: Rule, auth: AuthInfo): boolean {
    const issuedAt = auth.payload.iat;
    if (typeof issuedAt === 'number' && issuedAt > madeAt + clockToleranceSeconds) return false;
    try {
      const answer: unknown = matches(auth);
      ignoreRejection(answer);
      // Whatever is not a clear no: a promise has not said anything yet.
      return Boolean(answer);
    } catch {
      // A rule that cannot tell denies: failing open would let the revoked token in.
      return true;
    }
  }

  return {
    /** @throws {TypeError} Where `what` is neither a function nor a JWT: silence would let the token in. */
    add(what: string | Rule['matches']): void {
      if (typeof what === 'function') rules.push({ matches: what, madeAt: Math.ceil(Date.now() / 1000) });
      else if (typeof what === 'string') addToken(what);
      else throw new TypeError('revoke() takes a token or a function');
    },
    includes: (auth: AuthInfo): boolean =>
      (tokens.size > 0 && tokens.has(hashOfSigned(auth.token))) || rules.some((rule) => applies(rule, auth)),
  };
}

/** ECDSA lets anyone make a second valid signature of the same token; header and payload are what is revoked. */
function hashOfSigned(token: string): string {
  return createHash('sha256')
    .update(token.slice(0, token.lastIndexOf('.')))
    .digest('base64url');
}

function expiryOf(token: string): number {
  try {
    const { exp } = parseCompactJwt(token).payload;
    return typeof exp === 'number' ? exp : Number.POSITIVE_INFINITY;
  } catch (cause) {
    throw new TypeError('revoke() takes a JWT, alone and without "Bearer"', { cause });
  }
}
