import type { AuthInfo } from '../../core/auth-info.js';
import { attachWithdrawal, type Withdrawal } from '../../core/authority.js';
import { AuthError, UpstreamError } from '../../core/errors.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import type { VerificationKey } from '../keys/verification-key.js';
import { authInfoFrom, claimOf, unverifiedClaims } from './claims.js';
import { type CompactJwt, parseToken } from './compact-jwt.js';
import { createForgedTokens } from './forged-tokens.js';
import { createMissingSubjectWarning } from './missing-subject-warning.js';
import { createRevocations } from './revocations.js';
import { createTokenCache, type VerifiedToken } from './token-cache.js';
import { createTrust, type Trust, tokenFaults } from './token-faults.js';
import { createVerificationLimit } from './verification-limit.js';

/** Verifies the tokens of one policy, remembers those that are valid, and revokes tokens. */
export function createTokenVerifier(resolved: ResolvedAuth) {
  const trust = new Map<unknown, Trust>(
    resolved.issuers.map((trusted) => [trusted.issuer, createTrust(trusted, resolved)]),
  );
  const tokenCache = resolved.tokenCache && createTokenCache(resolved.tokenCache);
  const forgedTokens = createForgedTokens();
  const limitVerification = createVerificationLimit(resolved.maxFailedVerificationsPerSecond);
  const revocations = createRevocations(resolved.clockToleranceSeconds);
  const resource = resolved.resource?.href;
  const warnOfMissingSubject = createMissingSubjectWarning(resolved.logger);

  const pending = new Map<string, Promise<VerifiedToken>>();

  /**
   * A client with a new token sends many requests at once: they share one verification.
   *
   * @throws {AuthError} If the token is refused.
   * @throws {UpstreamError} If it cannot be checked.
   */
  function verify(token: string): Promise<VerifiedToken> {
    const shared = pending.get(token);
    if (shared !== undefined) return shared;
    const verification = verifyOnce(token);
    pending.set(token, verification);
    const forget = (): void => void pending.delete(token);
    verification.then(forget, forget);
    return verification;
  }

  /** Checks the form first, then everything that {@link tokenFaults} checks, then revocation. */
  async function verifyOnce(token: string): Promise<VerifiedToken> {
    const jwt = parseToken(token, resolved.maxTokenBytes);
    // The issuer selects the key set before any key is selected, so that equal `kid`s of two issuers are never confused.
    const issuer = trust.get(claimOf(jwt.payload, 'iss'));
    if (issuer === undefined) throw unknownIssuer(jwt).with(unverifiedClaims(jwt));
    return limitVerification(() => verifyFrom(issuer, jwt));
  }

  async function verifyFrom(issuer: Trust, jwt: CompactJwt): Promise<VerifiedToken> {
    const { trusted, keySet } = issuer;
    const moment = keySet.now();
    try {
      const key = await requireNoFault(jwt, issuer);
      const auth = authInfoFrom(jwt, trusted, resource);
      if (revocations.includes(auth)) throw new AuthError('token_revoked');
      if (auth.subject === undefined) warnOfMissingSubject(trusted);
      const verified = { auth, key, keySet, trusted };
      attachWithdrawal(auth, () => withdrawalOf(verified));
      tokenCache?.remember(verified);
      return verified;
    } catch (error) {
      if (!(error instanceof AuthError || error instanceof UpstreamError)) throw error;
      const refusal = error.with(unverifiedClaims(jwt));
      if (refusal instanceof AuthError) forgedTokens.remember(jwt.token, { refusal, keySet, moment });
      throw refusal;
    }
  }

  /** The log shows the expected issuers beside the token's. The client sees neither. */
  function unknownIssuer({ payload }: CompactJwt): AuthError {
    return new AuthError('unknown_issuer', { iss: claimOf(payload, 'iss'), expected: [...trust.keys()] });
  }

  function withdrawalOf({ auth, key, keySet }: VerifiedToken): Withdrawal | undefined {
    if (revocations.includes(auth)) return 'token_revoked';
    return keySet.hasWithdrawn(key) ? 'unknown_key' : undefined;
  }

  return {
    /** The remembered result for this token, at the cost of a look-up. */
    recall: (token: string): VerifiedToken | undefined => tokenCache?.recall(token),
    /** The refusal of a token that was found forged, at the cost of a hash. */
    recallForged: (token: string): AuthError | undefined => forgedTokens.recall(token),
    verify,
    revoke(what: string | ((auth: AuthInfo) => boolean)): void {
      revocations.add(what);
      tokenCache?.forget(revocations.includes);
    },
  };
}

/** Returns the key that verified the signature. Throws the first fault, without looking for others. */
async function requireNoFault(jwt: CompactJwt, trust: Trust): Promise<VerificationKey> {
  const { done, value } = await tokenFaults(jwt, trust).next();
  if (done !== true) throw value.error;
  if (value === undefined) throw new Error('no fault was found, but no key either');
  return value;
}
