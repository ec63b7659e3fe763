import { createHash } from 'node:crypto';
import type { AuthInfo } from '../../core/auth-info.js';
import { ignoreRejection } from '../../core/ignore-rejection.js';
import { credentialFormOf } from '../../oauth/credential-form.js';
import { isToken68 } from '../../oauth/credentials.js';
import { parseCompactJwt } from './compact-jwt.js';

interface Rule {
  readonly matches: (auth: AuthInfo) => boolean;
  /** Seconds since 1970. */
  readonly madeAt: number;
}

interface RevokedToken {
  /** Milliseconds since 1970. */
  readonly expiry: number;
  /** The same on the clock of `performance.now()`. Both must pass: a date that was wrong for a while must not bring the token back. */
  readonly keptUntil: number;
}

/**
 * Remembers which credentials to refuse although they verify.
 *
 * @param acceptsOthers True if the policy accepts credentials that are not JWTs.
 */
export function createRevocations(clockToleranceSeconds: number, acceptsOthers = false) {
  /** The key is a hash of header and payload, so that all entries have the same size. */
  const tokens = new Map<string, RevokedToken>();
  // Never dropped: only the tokens show which of them a rule matches, and when they expire.
  const rules: Rule[] = [];

  function addToken(token: string): void {
    const now = Date.now();
    const elapsed = performance.now();
    for (const [signed, { expiry, keptUntil }] of tokens) {
      if (expiry < now && keptUntil < elapsed) tokens.delete(signed);
    }
    const expiry = (expirySecondsOf(token, acceptsOthers) + clockToleranceSeconds) * 1000;
    tokens.set(hashOfSigned(token), { expiry, keptUntil: elapsed + expiry - now });
  }

  /** A rule applies to tokens issued before it was made, so that a user can log in again. */
  function applies({ matches, madeAt }: Rule, auth: AuthInfo): boolean {
    const issuedAt = auth.payload.iat;
    if (typeof issuedAt === 'number' && issuedAt > madeAt + clockToleranceSeconds) return false;
    try {
      const result: unknown = matches(auth);
      ignoreRejection(result);
      // Any truthy value matches. A promise is truthy, so an async function refuses every token.
      return Boolean(result);
    } catch {
      // A rule that throws matches: otherwise its error would let a revoked token in.
      return true;
    }
  }

  return {
    /** @throws {TypeError} If `what` is neither a function nor a credential that the policy could accept: to ignore it would let the token in. */
    add(what: string | Rule['matches']): void {
      if (typeof what === 'function') rules.push({ matches: what, madeAt: Math.ceil(Date.now() / 1000) });
      else if (typeof what === 'string') addToken(what);
      else throw new TypeError('revoke() takes a token or a function');
    },
    includes: (auth: AuthInfo): boolean =>
      (tokens.size > 0 && tokens.has(hashOfSigned(auth.token))) || rules.some((rule) => applies(rule, auth)),
  };
}

/** Leaves out the signature of a JWT: anyone can make a second valid ECDSA signature for the same header and payload. */
function hashOfSigned(token: string): string {
  const signed = credentialFormOf(token) === 'jwt' ? token.slice(0, token.lastIndexOf('.')) : token;
  return createHash('sha256').update(signed).digest('base64url');
}

function expirySecondsOf(token: string, acceptsOthers: boolean): number {
  try {
    const { exp } = parseCompactJwt(token).payload;
    return typeof exp === 'number' ? exp : Number.POSITIVE_INFINITY;
  } catch (cause) {
    // Only the server that issued an opaque token knows when it expires.
    if (acceptsOthers && isToken68(token)) return Number.POSITIVE_INFINITY;
    const expected = acceptsOthers ? 'a token or an API key' : 'a JWT';
    throw new TypeError(`revoke() takes ${expected}, without "Bearer" before it`, { cause });
  }
}
