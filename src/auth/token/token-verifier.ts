import { attachWithdrawal, type Withdrawal } from '../../core/authority.js';
import { AuthError, UpstreamError } from '../../core/errors.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import type { McpAuth } from '../../policy/resolved-policy.js';
import type { VerificationKey } from '../keys/verification-key.js';
import { authInfoFrom, claimOf, unverifiedClaims } from './claims.js';
import { type CompactJwt, parseToken } from './compact-jwt.js';
import { createMissingSubjectWarning } from './missing-subject-warning.js';
import { createRevocations } from './revocations.js';
import { SharedRevocations } from './shared-revocations.js';
import { createTokenCache, type VerifiedToken } from './token-cache.js';
import { createTrust, type Trust, tokenFaults } from './token-faults.js';

/** Verifies the tokens of one policy, remembers those that are valid, and revokes tokens. */
export function createTokenVerifier(resolved: ResolvedAuth) {
  const trust = new Map<unknown, Trust>(
    resolved.issuers.map((trusted) => [trusted.issuer, createTrust(trusted, resolved)]),
  );
  const tokenCache = resolved.tokenCache && createTokenCache(resolved.tokenCache);
  const revocations = createRevocations(resolved.clockToleranceSeconds);
  const forgetRevoked = (): void => tokenCache?.forget(revocations.includes);
  const shared = resolved.store && new SharedRevocations(resolved.store, revocations, resolved.logger, forgetRevoked);
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
    try {
      // The issuer selects the key set before any key is selected, so that equal `kid`s of two issuers are never confused.
      const issuer = trust.get(claimOf(jwt.payload, 'iss'));
      if (issuer === undefined) throw unknownIssuer(jwt);
      const key = await requireNoFault(jwt, issuer);
      const { trusted, keySet } = issuer;
      const auth = authInfoFrom(jwt, trusted, resource);
      await shared?.ready();
      if (revocations.includes(auth)) throw new AuthError('token_revoked');
      if (auth.subject === undefined) warnOfMissingSubject(trusted);
      const verified = { auth, key, keySet, trusted };
      attachWithdrawal(auth, () => withdrawalOf(verified));
      tokenCache?.remember(verified);
      return verified;
    } catch (error) {
      throw error instanceof AuthError || error instanceof UpstreamError ? error.with(unverifiedClaims(jwt)) : error;
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
    verify,
    revoke(what: Parameters<McpAuth['revoke']>[0]): void {
      (shared ?? revocations).add(what);
      forgetRevoked();
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
