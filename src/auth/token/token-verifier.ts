import type { AuthInfo } from '../../core/auth-info.js';
import { attachWithdrawal, type Withdrawal } from '../../core/authority.js';
import { AuthError, UpstreamError } from '../../core/errors.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import type { ResourceIdentity } from '../../policy/resolve-resource.js';
import type { VerificationKey } from '../keys/verification-key.js';
import { authInfoFrom, claimOf, unverifiedClaims } from './claims.js';
import { type CompactJwt, parseToken } from './compact-jwt.js';
import { createForgedTokens } from './forged-tokens.js';
import { createMissingClaimWarning } from './missing-claim-warning.js';
import { createRevocations } from './revocations.js';
import { createTokenCache, type VerifiedToken } from './token-cache.js';
import { type Trust, tokenFaults } from './token-faults.js';
import { createTrustedIssuers } from './trusted-issuers.js';
import { createVerificationLimit } from './verification-limit.js';

/** The resource that a request asks for, which the policy or the path of the request names. */
type Resource = ResourceIdentity | undefined;

/** Verifies the tokens of one policy, remembers those that are valid, and revokes tokens. */
export function createTokenVerifier(resolved: ResolvedAuth) {
  const issuers = createTrustedIssuers(resolved);
  const tokenCache = resolved.tokenCache && createTokenCache(resolved.tokenCache);
  const forgedTokens = createForgedTokens();
  const limitVerification = createVerificationLimit(resolved.maxFailedVerificationsPerSecond);
  const revocations = createRevocations(resolved.clockToleranceSeconds);
  const accept = createAcceptance(resolved, revocations);

  /** Checks the form first, then everything that {@link tokenFaults} checks, then revocation. */
  async function verifyOnce(token: string, resource: Resource): Promise<VerifiedToken> {
    const jwt = parseToken(token, resolved.maxTokenBytes);
    const trust = issuers.find(jwt.payload, resource?.tenant);
    if (trust === undefined) throw unknownIssuer(jwt, issuers.names);
    return limitVerification(() => verifyFrom(trust, jwt, resource));
  }

  async function verifyFrom(trust: Trust, jwt: CompactJwt, resource: Resource): Promise<VerifiedToken> {
    const { keySet } = trust;
    const moment = keySet.now();
    try {
      const verified = accept(jwt, { trust, key: await requireNoFault(jwt, trust), resource });
      tokenCache?.remember(verified);
      return verified;
    } catch (error) {
      if (!(error instanceof AuthError || error instanceof UpstreamError)) throw error;
      const refusal = error.with(unverifiedClaims(jwt));
      if (refusal instanceof AuthError) forgedTokens.remember(jwt.token, { refusal, keySet, moment });
      throw refusal;
    }
  }

  return {
    /** The remembered result for this token and this resource, at the cost of a look-up. */
    recall: (token: string, resource?: Resource): VerifiedToken | undefined =>
      tokenCache?.recall(token, resource?.tenant),
    /** The refusal of a token that was found forged, at the cost of a hash. */
    recallForged: (token: string): AuthError | undefined => forgedTokens.recall(token),
    verify: shareVerifications(verifyOnce, resolved.resource),
    revoke(what: string | ((auth: AuthInfo) => boolean)): void {
      revocations.add(what);
      tokenCache?.forget(revocations.includes);
    },
    /** True if there are keys for the tokens of every issuer; they are fetched first if need be. */
    async ready(): Promise<boolean> {
      const ready = await Promise.all(issuers.keySets.map((keySet) => keySet.isReady()));
      return ready.every((isReady) => isReady);
    },
  };
}

type VerifyToken = (token: string, resource?: Resource) => Promise<VerifiedToken>;

/**
 * A client with a new token sends many requests at once: they share one verification.
 *
 * @returns A function that throws an `AuthError` if the token is refused, and an `UpstreamError` if it cannot be checked.
 */
function shareVerifications(
  verify: (token: string, resource: Resource) => Promise<VerifiedToken>,
  usual: Resource,
): VerifyToken {
  const pending = new Map<string, Promise<VerifiedToken>>();
  return (token, resource = usual) => {
    // A token has no space in it.
    const key = resource?.tenant === undefined ? token : `${token} ${resource.tenant}`;
    const shared = pending.get(key);
    if (shared !== undefined) return shared;
    const verification = verify(token, resource);
    pending.set(key, verification);
    const forget = (): void => void pending.delete(key);
    verification.then(forget, forget);
    return verification;
  };
}

/** Creates the last step for a token without fault: its identity, unless it has been revoked. */
function createAcceptance(resolved: ResolvedAuth, revocations: ReturnType<typeof createRevocations>) {
  const warnOfMissingClaim = createMissingClaimWarning(resolved.logger);

  function withdrawalOf({ auth, key, keySet }: VerifiedToken): Withdrawal | undefined {
    if (revocations.includes(auth)) return 'token_revoked';
    return keySet.hasWithdrawn(key) ? 'unknown_key' : undefined;
  }

  return (
    jwt: CompactJwt,
    { trust, key, resource }: { trust: Trust; key: VerificationKey; resource: Resource },
  ): VerifiedToken => {
    const { trusted, keySet } = trust;
    const auth = authInfoFrom(jwt, trusted, { resource, extra: resolved.extra });
    if (revocations.includes(auth)) throw new AuthError('token_revoked');
    warnOfMissingClaim(trusted, jwt.payload);
    const verified = { auth, key, keySet, trusted };
    attachWithdrawal(auth, () => withdrawalOf(verified));
    return verified;
  };
}

/** The log shows the expected issuers beside the token's. The client sees neither. */
function unknownIssuer(jwt: CompactJwt, expected: readonly string[]): AuthError {
  const evidence = { iss: claimOf(jwt.payload, 'iss'), expected };
  return new AuthError('unknown_issuer', { ...evidence, ...unverifiedClaims(jwt) });
}

/** Returns the key that verified the signature. Throws the first fault, without looking for others. */
async function requireNoFault(jwt: CompactJwt, trust: Trust): Promise<VerificationKey> {
  const { done, value } = await tokenFaults(jwt, trust).next();
  if (done !== true) throw value.error;
  if (value === undefined) throw new Error('no fault was found, but no key either');
  return value;
}
