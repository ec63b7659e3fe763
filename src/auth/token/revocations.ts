import { createHash } from 'node:crypto';
import type { AuthInfo } from '../../core/auth-info.js';
import { type Logger, SILENT } from '../../core/logger.js';
import { credentialFormOf } from '../../oauth/credential-form.js';
import { isApiKeyText, isToken68 } from '../../oauth/credentials.js';
import type { RevokedLogin } from '../../oauth/revoked-logins.js';
import type { RevokedTokens } from '../../policy/resolved-policy.js';
import { parseCompactJwt } from './compact-jwt.js';
import { createRevocationRules, type RevocationFunction } from './revocation-rules.js';
import { REVOCABLE, RevokedUsers, readUserRevocation, type UserRevocation } from './revoked-users.js';

/** A revocation that other processes can apply too. */
export type Revocation = TokenRevocation | UserRevocation;

/** A revocation of one token, as it is stored. */
export interface TokenRevocation {
  /** A hash of header and payload, from which the token cannot be made. */
  readonly token: string;
  /** Milliseconds since 1970; null for a token that does not expire. */
  readonly expiry: number | null;
}

interface RevokedToken {
  /** Milliseconds since 1970. */
  readonly expiry: number;
  /** The same on the clock of `performance.now()`. Both must pass: a date that was wrong for a while must not bring the token back. */
  readonly keptUntil: number;
}

/** About 150 MB. To drop a revocation before its token has expired would let the token in. */
const MAX_TOKENS = 1_000_000;

/** Minimum time between two sweeps of all tokens. */
const SWEEP_EVERY_MS = 1_000;

/** The credentials that a policy accepts, and how it reads them. */
export interface RevocationContext {
  /** The credentials besides JWTs: tokens of other forms, or API keys too. */
  readonly others?: 'none' | 'tokens' | 'keys';
  /** True if the policy reads a credential as a JWT: only then its claims count. */
  readonly isJwt?: (credential: string) => boolean;
  /** Returns when a token that this server issued expires, in seconds since 1970. Undefined for other credentials. */
  readonly issuedExpiryOf?: (credential: string) => number | undefined;
  /** For functions of the application that fail. */
  readonly logger?: Logger;
}

/** Remembers which credentials to refuse although they verify. */
export function createRevocations(
  clockToleranceSeconds: number,
  { others = 'none', isJwt = () => true, issuedExpiryOf = () => undefined, logger = SILENT }: RevocationContext = {},
) {
  /** The key is a hash of header and payload, so that all entries have the same size. */
  const tokens = new Map<string, RevokedToken>();
  let sweptAt = Number.NEGATIVE_INFINITY;
  const rules = createRevocationRules(clockToleranceSeconds, logger);
  const users = new RevokedUsers(clockToleranceSeconds);

  function addToken({ token, expiry: given }: TokenRevocation): void {
    const now = Date.now();
    const elapsed = performance.now();
    // A store may return many revocations at once. A sweep for each of them would take too long.
    if (elapsed - sweptAt >= SWEEP_EVERY_MS) {
      sweptAt = elapsed;
      for (const [signed, { expiry, keptUntil }] of tokens) {
        if (expiry < now && keptUntil < elapsed) tokens.delete(signed);
      }
    }
    if (tokens.size >= MAX_TOKENS && !tokens.has(token))
      throw new RangeError(`more than ${MAX_TOKENS} tokens are revoked`);
    const expiry = given ?? Number.POSITIVE_INFINITY;
    tokens.set(token, { expiry, keptUntil: elapsed + expiry - now });
  }

  function revocationOf(token: string): TokenRevocation {
    const issuedExpiry = issuedExpiryOf(token);
    const seconds = issuedExpiry ?? expirySecondsOf(token, others);
    const expiry =
      issuedExpiry !== undefined || isJwt(token) ? (seconds + clockToleranceSeconds) * 1000 : Number.POSITIVE_INFINITY;
    return { token: hashOfSigned(token), expiry: Number.isFinite(expiry) ? expiry : null };
  }

  /** Applies a revocation, of this process or of another. */
  function apply(revocation: Revocation): void {
    if ('token' in revocation) addToken(revocation);
    else users.add(revocation);
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
      apply(revocation);
      return revocation;
    },
    /** Revokes every token of a login. Returns the revocation for other processes. */
    addLogin({ login, expiry }: RevokedLogin): Revocation {
      const revocation = { token: hashOfLogin(login), expiry: expiry + clockToleranceSeconds * 1_000 };
      apply(revocation);
      return revocation;
    },
    apply,
    includes: (auth: AuthInfo): boolean =>
      (tokens.size > 0 && hashesOf(auth).some((hash) => tokens.has(hash))) ||
      users.includes(auth) ||
      rules.includes(auth),
  };
}

export type Revocations = ReturnType<typeof createRevocations>;

/** Leaves out the signature of a JWT: anyone can make a second valid ECDSA signature for the same header and payload. */
function hashOfSigned(token: string): string {
  const signed = credentialFormOf(token) === 'jwt' ? token.slice(0, token.lastIndexOf('.')) : token;
  return createHash('sha256').update(signed).digest('base64url');
}

/** The hashes under which a revocation of this token may be kept: its own, and that of its login if this server issued it. */
function hashesOf({ token, payload: { sid } }: AuthInfo): readonly string[] {
  const isIssued = token === '' || credentialFormOf(token) === 'issued';
  return isIssued && typeof sid === 'string' ? [hashOfSigned(token), hashOfLogin(sid)] : [hashOfSigned(token)];
}

/** With a text before it that no token has, so that it is the hash of none. */
function hashOfLogin(login: string): string {
  return createHash('sha256').update(`login ${login}`).digest('base64url');
}

function expirySecondsOf(token: string, others: NonNullable<RevocationContext['others']>): number {
  try {
    const { exp } = parseCompactJwt(token).payload;
    return typeof exp === 'number' ? exp : Number.POSITIVE_INFINITY;
  } catch (cause) {
    // Only the server that issued an opaque token knows when it expires.
    if (others === 'keys' ? isApiKeyText(token) : others === 'tokens' && isToken68(token))
      return Number.POSITIVE_INFINITY;
    const expected = others === 'none' ? 'a JWT' : 'a token or an API key';
    throw new TypeError(`revoke() takes ${expected}, without "Bearer" before it`, { cause });
  }
}
