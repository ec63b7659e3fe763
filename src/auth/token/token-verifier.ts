import { extendAuth } from '../../core/auth-info.js';
import { AuthError, UpstreamError } from '../../core/errors.js';
import { attachWithdrawal } from '../../core/token-validity.js';
import { attachTokenExchange, attachUpstreamToken, upstreamTokenOf } from '../../core/upstream-token.js';
import { requireApiKey, requireToken68 } from '../../oauth/credentials.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import type { ResourceIdentity } from '../../policy/resolve-resource.js';
import type { McpAuth } from '../../policy/resolved-policy.js';
import type { KeySetAge } from '../keys/key-set-ages.js';
import type { VerificationKey } from '../keys/verification-key.js';
import { TOO_MANY_FAILED_TOKENS } from '../keys/verification-queue.js';
import { authInfoFrom, claimOf, claimsForLog } from './claims.js';
import { type CompactJwt, parseCompactJwt } from './compact-jwt.js';
import { createExchangedTokens } from './exchanged-tokens.js';
import { createForgedTokens } from './forged-tokens.js';
import type { KnownRevocations } from './known-revocations.js';
import { createMissingClaimWarning } from './missing-claim-warning.js';
import { createRevocationMemory } from './revocation-memory.js';
import { createRevocations } from './revocations.js';
import { SharedRevocations } from './shared-revocations.js';
import { createTokenCache, type VerifiedToken } from './token-cache.js';
import { type IssuerWithKeys, tokenFaults } from './token-faults.js';
import { createTrustedIssuers } from './trusted-issuers.js';
import { createVerificationLimit } from './verification-limit.js';

/** The parts of a request that say something about its credential. */
export interface CredentialContext {
  /** True if it must be an API key, because of its place in the request. */
  readonly isApiKey?: boolean;
  /** The resource that the request asks for, which the policy or the path of the request names. */
  readonly resource?: ResourceIdentity | undefined;
}

/** Returns the function that verifies a credential which is not a JWT; undefined for a JWT. */
export type FindVerifier = (
  credential: string,
  isApiKey: boolean,
) => ((credential: string) => Promise<VerifiedToken>) | undefined;

/**
 * Verifies the credentials of one policy, remembers those that are valid, and revokes credentials.
 *
 * @param findVerifier Finds the verifier of credentials that are not JWTs.
 * @param known The revocations that other policies know too.
 */
export function createTokenVerifier(
  resolved: ResolvedAuth,
  findVerifier: FindVerifier = () => undefined,
  known?: KnownRevocations,
) {
  const jwts = createJwtVerifier(resolved);
  const exchangeFor = createExchangedTokens(resolved);
  const tokenCache = resolved.tokenCache && createTokenCache(resolved.tokenCache);
  const revocations = createRevocations(resolved.clockToleranceSeconds, {
    others: otherCredentialsOf(resolved),
    isJwt: (token) => findVerifier(token, false) === undefined,
    issuedExpiryOf: (token) => resolved.oauthProxy?.issuing?.tokens.open(token)?.expiresAt,
    known,
    logger: resolved.logger,
  });
  const forgetRevoked = (): void => tokenCache?.forget(revocations.includes);
  const shared = resolved.store && new SharedRevocations(resolved.store, revocations, resolved.logger, forgetRevoked);

  async function verifyOnce(token: string, { isApiKey = false, resource }: CredentialContext): Promise<VerifiedToken> {
    // Any string may be an API key. Its place in a header bounds the characters.
    if (isApiKey) requireApiKey(token, resolved.maxTokenBytes);
    else requireToken68(token, resolved.maxTokenBytes);
    const verifyOther = findVerifier(token, isApiKey);
    const found =
      verifyOther === undefined ? await jwts.verify(parseCompactJwt(token), resource) : await verifyOther(token);
    await shared?.ready();
    if (revocations.includes(found.auth)) {
      throw new AuthError('token_revoked', claimsForLog(found.auth.payload, found.auth.header.kid));
    }
    const auth = extendAuth(found.auth, resolved.extra);
    attachUpstreamToken(auth, upstreamTokenOf(found.auth));
    attachTokenExchange(auth, exchangeFor({ ...found, auth }));
    attachWithdrawal(auth, () => (revocations.includes(auth) ? 'token_revoked' : found.withdrawal()));
    const verified = { ...found, auth };
    tokenCache?.remember(verified);
    return verified;
  }

  const revocationMemory = createRevocationMemory(resolved, { revocations, shared, forgetRevoked });

  return {
    /** The only strong reference: the policy has a `WeakRef`. */
    revocationMemory,
    /** The remembered result for this token and this resource, at the cost of a look-up. */
    recall(token: string, { isApiKey = false, resource }: CredentialContext = {}): VerifiedToken | undefined {
      const remembered = tokenCache?.recall(token, resource?.tenant);
      return isApiKey && remembered?.kind !== 'apiKey' ? undefined : remembered;
    },
    /** The refusal of a token that was found forged, at the cost of a hash. */
    recallForged: jwts.recallForged,
    verify: shareVerifications(verifyOnce, resolved.resource),
    revoke(what: Parameters<McpAuth['revoke']>[0]): void {
      (shared ?? revocations).add(what);
      forgetRevoked();
    },
    ready: jwts.ready,
    keySetAges: jwts.keySetAges,
  };
}

function otherCredentialsOf({ apiKeys, introspection, verifiers, oauthProxy }: ResolvedAuth) {
  if (apiKeys !== undefined) return 'keys';
  const issues = oauthProxy?.issuing !== undefined;
  return issues || introspection !== undefined || verifiers.length > 0 ? 'tokens' : 'none';
}

/**
 * A client with a new token sends many requests at once: they share one verification.
 *
 * @param usual The resource of a request that names none.
 * @returns A function that throws an `AuthError` if the token is refused, and an `UpstreamError` if it cannot be checked.
 */
function shareVerifications(
  verify: (token: string, context: CredentialContext) => Promise<VerifiedToken>,
  usual: ResourceIdentity | undefined,
) {
  const pending = new Map<string, Promise<VerifiedToken>>();
  return (token: string, { isApiKey = false, resource = usual }: CredentialContext = {}): Promise<VerifiedToken> => {
    if (isApiKey) return verify(token, { isApiKey, resource });
    // A token has no space in it.
    const key = resource?.tenant === undefined ? token : `${token} ${resource.tenant}`;
    const shared = pending.get(key);
    if (shared !== undefined) return shared;
    const verification = verify(token, { resource });
    pending.set(key, verification);
    const forget = (): void => void pending.delete(key);
    verification.then(forget, forget);
    return verification;
  };
}

/** Creates the function that checks everything that {@link tokenFaults} checks, with its memory of forged tokens. */
function createJwtVerifier(resolved: ResolvedAuth) {
  const issuers = createTrustedIssuers(resolved);
  const forgedTokens = createForgedTokens();
  const limitVerification = createVerificationLimit(resolved.maxFailedVerificationsPerSecond);
  const warnOfMissingClaim = createMissingClaimWarning(resolved.logger);

  async function verifyFrom(
    issuer: IssuerWithKeys,
    jwt: CompactJwt,
    resource: ResourceIdentity | undefined,
  ): Promise<VerifiedToken> {
    const { trusted, keySet } = issuer;
    const moment = keySet.now();
    const found = await keyOrFirstFault(jwt, issuer);
    // Not copied with the claims: thousands a second may be refused, and each copy has a stack trace.
    if (found === TOO_MANY_FAILED_TOKENS) throw found;
    if (found instanceof AuthError || found instanceof UpstreamError) {
      const refusal = found.with(claimsForLog(jwt.payload, jwt.kid));
      if (refusal instanceof AuthError) forgedTokens.remember(jwt.token, { refusal, keySet, moment });
      throw refusal;
    }
    const key = found;
    const auth = authInfoFrom(jwt, trusted, resource);
    warnOfMissingClaim(trusted, jwt.payload);
    return {
      auth,
      kind: 'jwt',
      isCurrent: () => keySet.has(key),
      withdrawal: () => (keySet.hasWithdrawn(key) ? 'unknown_key' : undefined),
      jwt: { key, trusted },
    };
  }

  return {
    verify(jwt: CompactJwt, resource: ResourceIdentity | undefined): Promise<VerifiedToken> {
      const issuer = issuers.find(jwt.payload, resource?.tenant);
      if (issuer === undefined) return Promise.reject(unknownIssuer(jwt, issuers.names));
      return limitVerification(() => verifyFrom(issuer, jwt, resource));
    },
    recallForged: (token: string): AuthError | undefined => forgedTokens.recall(token),
    /** True if there are keys for the tokens of every issuer; they are fetched first if need be. */
    async ready(): Promise<boolean> {
      const ready = await Promise.all(issuers.keySets.map((keySet) => keySet.isReady()));
      return ready.every((isReady) => isReady);
    },
    keySetAges: (): readonly KeySetAge[] =>
      issuers.keySets.flatMap((keySet, index) => {
        const ms = keySet.ageMs?.();
        return ms === undefined ? [] : [{ issuer: issuers.names[index] as string, seconds: ms / 1_000 }];
      }),
  };
}

/** The log shows the expected issuers and that of the token. The client sees neither. */
function unknownIssuer({ payload, kid }: CompactJwt, expected: readonly string[]): AuthError {
  return new AuthError('unknown_issuer', { iss: claimOf(payload, 'iss'), expected, ...claimsForLog(payload, kid) });
}

/** Returns the key that verified the signature, or the first fault, without looking for others. */
async function keyOrFirstFault(
  jwt: CompactJwt,
  issuer: IssuerWithKeys,
): Promise<AuthError | UpstreamError | VerificationKey> {
  const { done, value } = await tokenFaults(jwt, issuer).next();
  if (done !== true) return value.error;
  if (value === undefined) throw new Error('no fault was found, but no key either');
  return value;
}
