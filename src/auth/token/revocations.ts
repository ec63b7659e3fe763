import type { AuthInfo } from '../../core/auth-info.js';
import { type Logger, SILENT } from '../../core/logger.js';
import { isApiKeyText, isToken68 } from '../../oauth/credentials.js';
import type { RevokedLogin } from '../../oauth/revoked-logins.js';
import type { RevokedTokens } from '../../policy/resolved-policy.js';
import { type CompactJwt, parseCompactJwt } from './compact-jwt.js';
import {
  hashOfJwt,
  hashOfLogin,
  hashOfOther,
  KnownRevocations,
  type Revocation,
  type TokenRevocation,
} from './known-revocations.js';
import { createRevocationRules, type RevocationFunction } from './revocation-rules.js';
import { REVOCABLE, readUserRevocation } from './revoked-users.js';

/** The credentials that a policy accepts, and how it reads them. */
export interface RevocationContext {
  /** The credentials besides JWTs: tokens of other forms, or API keys too. */
  readonly others?: 'none' | 'tokens' | 'keys';
  /** True if the policy reads a credential as a JWT: only then its claims count. */
  readonly isJwt?: (credential: string) => boolean;
  /** Returns when a token that this server issued expires, in seconds since 1970. Undefined for other credentials. */
  readonly issuedExpiryOf?: (credential: string) => number | undefined;
  /** The revocations that other policies know too. @default those of this policy alone */
  readonly known?: KnownRevocations | undefined;
  /** For functions of the application that fail. */
  readonly logger?: Logger;
}

/** Remembers which credentials to refuse although they verify. */
export function createRevocations(clockToleranceSeconds: number, context: RevocationContext = {}) {
  const { others = 'none', isJwt = () => true, issuedExpiryOf = () => undefined } = context;
  const { known = new KnownRevocations(), logger = SILENT } = context;
  const rules = createRevocationRules(clockToleranceSeconds, logger);

  function revocationOf(token: string): TokenRevocation {
    const issuedExpiry = issuedExpiryOf(token);
    const parsed = issuedExpiry === undefined ? parseIfJwt(token, others) : undefined;
    const jwt = isJwt(token) ? parsed : undefined;
    const seconds = issuedExpiry ?? expirySecondsOf(jwt);
    const expiry = (seconds + clockToleranceSeconds) * 1_000;
    const hash = jwt === undefined ? hashOfOther(token) : hashOfJwt(token);
    return { token: hash, expiry: Number.isFinite(expiry) ? expiry : null };
  }

  return {
    /**
     * Returns the revocation for other processes; undefined for a function, which they cannot call.
     *
     * @throws {TypeError} If `what` cannot be revoked: to ignore it would let the token in.
     */
    add(what: string | RevokedTokens | RevocationFunction): Revocation | undefined {
      if (typeof what === 'function') {
        rules.add(what);
        return undefined;
      }
      if (typeof what !== 'string' && typeof what !== 'object') throw new TypeError(`revoke() takes ${REVOCABLE}`);
      const revocation = typeof what === 'string' ? revocationOf(what) : readUserRevocation(what);
      known.apply(revocation);
      return revocation;
    },
    /** Revokes every token of a login. Returns the revocation for other processes. */
    addLogin({ login, expiry }: RevokedLogin): Revocation {
      const revocation = { token: hashOfLogin(login), expiry: expiry + clockToleranceSeconds * 1_000 };
      known.apply(revocation);
      return revocation;
    },
    /** Applies a revocation of another process. */
    apply: (revocation: Revocation): void => known.apply(revocation),
    includes: (auth: AuthInfo): boolean => known.includes(auth, clockToleranceSeconds) || rules.includes(auth),
  };
}

export type Revocations = ReturnType<typeof createRevocations>;

/** Only the server that issued an opaque token knows when it expires. */
function expirySecondsOf(jwt: CompactJwt | undefined): number {
  const exp = jwt?.payload.exp;
  return typeof exp === 'number' ? exp : Number.POSITIVE_INFINITY;
}

/**
 * Parses a JWT. Returns undefined for another credential that the policy may accept.
 *
 * @throws {TypeError} For a string that is not a credential.
 */
function parseIfJwt(token: string, others: NonNullable<RevocationContext['others']>): CompactJwt | undefined {
  try {
    return parseCompactJwt(token);
  } catch (cause) {
    if (others === 'keys' ? isApiKeyText(token) : others === 'tokens' && isToken68(token)) return undefined;
    const expected = others === 'none' ? 'a JWT' : 'a token or an API key';
    throw new TypeError(`revoke() takes ${expected}, without "Bearer" before it`, { cause });
  }
}
