import type { AuthInfo } from '../../core/auth-info.js';
import { attachWithdrawal, type Withdrawal } from '../../core/authority.js';
import { AuthError, UpstreamError } from '../../core/errors.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import type { VerificationKey } from '../keys/verification-key.js';
import { authInfoFrom, claimOf, evidenceOf } from './claims.js';
import { type CompactJwt, parseToken } from './compact-jwt.js';
import { createMissingSubjectWarning } from './missing-subject-warning.js';
import { createRevocations } from './revocations.js';
import { createTokenCache, type VerifiedToken } from './token-cache.js';
import { createTrust, type Trust, tokenFaults } from './token-faults.js';

/** Token → {@link VerifiedToken}, or {@link AuthError}, or `UpstreamError`. */
export function createTokenVerifier(resolved: ResolvedAuth) {
  const trust = new Map<unknown, Trust>(
    resolved.issuers.map((trusted) => [trusted.issuer, createTrust(trusted, resolved)]),
  );
  const verifiedTokens = resolved.verifiedTokens && createTokenCache(resolved.verifiedTokens);
  const revocations = createRevocations(resolved.clockToleranceSeconds);
  const resource = resolved.resource?.href;
  const warnOfMissingSubject = createMissingSubjectWarning(resolved.logger);

  const underWay = new Map<string, Promise<VerifiedToken>>();

  /** A client that has just got a token sends many requests at once: they wait for one verification. */
  function verify(token: string): Promise<VerifiedToken> {
    const known = underWay.get(token);
    if (known !== undefined) return known;
    const verification = judge(token);
    underWay.set(token, verification);
    const forget = (): void => void underWay.delete(token);
    verification.then(forget, forget);
    return verification;
  }

  /** The steps in order: form, then every check of {@link tokenFaults}, then revocation. */
  async function judge(token: string): Promise<VerifiedToken> {
    const jwt = parseToken(token, resolved.maxTokenBytes);
    try {
      // The issuer chooses the key set before any key is looked for: equal `kid`s of two issuers are never confused.
      const issuer = trust.get(claimOf(jwt.payload, 'iss'));
      if (issuer === undefined) throw unknownIssuer(jwt);
      const key = await requireNoFault(jwt, issuer);
      const { trusted, keySet } = issuer;
      const auth = authInfoFrom(jwt, trusted, resource);
      if (revocations.includes(auth)) throw new AuthError('token_revoked');
      if (auth.subject === undefined) warnOfMissingSubject(trusted);
      const verified = { auth, key, keySet, trusted };
      attachWithdrawal(auth, () => withdrawalOf(verified));
      verifiedTokens?.remember(verified);
      return verified;
    } catch (error) {
      throw error instanceof AuthError || error instanceof UpstreamError ? error.with(evidenceOf(jwt)) : error;
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
    recall: (token: string): VerifiedToken | undefined => verifiedTokens?.recall(token),
    verify,
    revoke(what: string | ((auth: AuthInfo) => boolean)): void {
      revocations.add(what);
      verifiedTokens?.forget(revocations.includes);
    },
  };
}

/** Returns the key that made the signature; throws the first fault, and looks for no other. */
async function requireNoFault(jwt: CompactJwt, trust: Trust): Promise<VerificationKey> {
  const { done, value } = await tokenFaults(jwt, trust).next();
  if (done !== true) throw value.error;
  if (value === undefined) throw new Error('no fault was found, but no key either');
  return value;
}
