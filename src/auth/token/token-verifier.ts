import type { AuthInfo } from '../../core/auth-info.js';
import { attachWithdrawal } from '../../core/authority.js';
import { AuthError, UpstreamError } from '../../core/errors.js';
import { requireLength, requireToken68 } from '../../oauth/credentials.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import type { VerificationKey } from '../keys/verification-key.js';
import { authInfoFrom, claimOf, claimsForLog } from './claims.js';
import { type CompactJwt, parseCompactJwt } from './compact-jwt.js';
import { createMissingSubjectWarning } from './missing-subject-warning.js';
import { createRevocations } from './revocations.js';
import { createTokenCache, type VerifiedToken } from './token-cache.js';
import { createTrust, type Trust, tokenFaults } from './token-faults.js';

/** Returns the function that verifies a credential which is not a JWT; undefined for a JWT. */
export type FindVerifier = (
  credential: string,
  isApiKey: boolean,
) => ((credential: string) => Promise<VerifiedToken>) | undefined;

/**
 * Verifies the credentials of one policy, remembers those that are valid, and revokes credentials.
 *
 * @param findVerifier Finds the verifier of credentials that are not JWTs.
 */
export function createTokenVerifier(resolved: ResolvedAuth, findVerifier: FindVerifier = () => undefined) {
  const verifyJwt = createJwtVerifier(resolved);
  const tokenCache = resolved.tokenCache && createTokenCache(resolved.tokenCache);
  const revocations = createRevocations(resolved.clockToleranceSeconds, acceptsOtherCredentials(resolved));
  const pending = new Map<string, Promise<VerifiedToken>>();

  /**
   * A client with a new token sends many requests at once: they share one verification.
   *
   * @param isApiKey True if it must be an API key, because of its place in the request.
   * @throws {AuthError} If the token is refused.
   * @throws {UpstreamError} If it cannot be checked.
   */
  function verify(token: string, isApiKey = false): Promise<VerifiedToken> {
    const shared = isApiKey ? undefined : pending.get(token);
    if (shared !== undefined) return shared;
    const verification = verifyOnce(token, isApiKey);
    if (isApiKey) return verification;
    pending.set(token, verification);
    const forget = (): void => void pending.delete(token);
    verification.then(forget, forget);
    return verification;
  }

  async function verifyOnce(token: string, isApiKey: boolean): Promise<VerifiedToken> {
    // Any text may be an API key. Its place in a header bounds the characters.
    if (isApiKey) requireLength(token, resolved.maxTokenBytes);
    else requireToken68(token, resolved.maxTokenBytes);
    const verifyOther = findVerifier(token, isApiKey);
    const verified = verifyOther === undefined ? await verifyJwt(parseCompactJwt(token)) : await verifyOther(token);
    const { auth } = verified;
    if (revocations.includes(auth)) throw new AuthError('token_revoked', claimsForLog(auth.payload, auth.header.kid));
    attachWithdrawal(auth, () => (revocations.includes(auth) ? 'token_revoked' : verified.withdrawal()));
    tokenCache?.remember(verified);
    return verified;
  }

  return {
    /** The remembered result for this token, at the cost of a look-up. */
    recall(token: string, isApiKey = false): VerifiedToken | undefined {
      const remembered = tokenCache?.recall(token);
      return isApiKey && remembered?.kind !== 'apiKey' ? undefined : remembered;
    },
    verify,
    revoke(what: string | ((auth: AuthInfo) => boolean)): void {
      revocations.add(what);
      tokenCache?.forget(revocations.includes);
    },
  };
}

function acceptsOtherCredentials({ apiKeys, introspection, verifiers }: ResolvedAuth): boolean {
  return apiKeys !== undefined || introspection !== undefined || verifiers.length > 0;
}

/** Creates the function that checks everything that {@link tokenFaults} checks. */
function createJwtVerifier(resolved: ResolvedAuth): (jwt: CompactJwt) => Promise<VerifiedToken> {
  const trust = new Map<unknown, Trust>(
    resolved.issuers.map((trusted) => [trusted.issuer, createTrust(trusted, resolved)]),
  );
  const resource = resolved.resource?.href;
  const warnOfMissingSubject = createMissingSubjectWarning(resolved.logger);

  /** The log shows the expected issuers beside the token's. The client sees neither. */
  function unknownIssuer({ payload }: CompactJwt): AuthError {
    return new AuthError('unknown_issuer', { iss: claimOf(payload, 'iss'), expected: [...trust.keys()] });
  }

  return async (jwt) => {
    try {
      // The issuer selects the key set before any key is selected, so that equal `kid`s of two issuers are never confused.
      const issuer = trust.get(claimOf(jwt.payload, 'iss'));
      if (issuer === undefined) throw unknownIssuer(jwt);
      const key = await requireNoFault(jwt, issuer);
      const { trusted, keySet } = issuer;
      const auth = authInfoFrom(jwt, trusted, resource);
      if (auth.subject === undefined) warnOfMissingSubject(trusted);
      return {
        auth,
        kind: 'jwt',
        isCurrent: () => keySet.has(key),
        withdrawal: () => (keySet.hasWithdrawn(key) ? 'unknown_key' : undefined),
        jwt: { key, trusted },
      };
    } catch (error) {
      const isKnown = error instanceof AuthError || error instanceof UpstreamError;
      throw isKnown ? error.with(claimsForLog(jwt.payload, jwt.kid)) : error;
    }
  };
}

/** Returns the key that verified the signature. Throws the first fault, without looking for others. */
async function requireNoFault(jwt: CompactJwt, trust: Trust): Promise<VerificationKey> {
  const { done, value } = await tokenFaults(jwt, trust).next();
  if (done !== true) throw value.error;
  if (value === undefined) throw new Error('no fault was found, but no key either');
  return value;
}
