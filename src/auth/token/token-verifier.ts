import type { AuthInfo } from '../../core/auth-info.js';
import { AuthError, UpstreamError } from '../../core/errors.js';
import { requireToken68 } from '../../oauth/credentials.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import type { TrustedIssuer } from '../../policy/resolve-issuer.js';
import { createKeySet } from '../keys/create-key-set.js';
import type { KeySet } from '../keys/key-set.js';
import { isAcceptedAlgorithm, verifySignature } from '../keys/signature.js';
import type { VerificationKey } from '../keys/verification-key.js';
import { authInfoFrom, evidenceOf } from './claims.js';
import { type CompactJwt, parseCompactJwt } from './compact-jwt.js';
import { createRevocations } from './revocations.js';
import { createVerifiedTokens, type VerifiedToken } from './verified-tokens.js';

/** Token → {@link VerifiedToken}, or {@link AuthError}, or `UpstreamError`. */
export interface TokenVerifier {
  /** What is already known of this token, at the cost of a look-up. */
  recall(token: string): VerifiedToken | undefined;
  verify(token: string): Promise<VerifiedToken>;
  revoke(what: string | ((auth: AuthInfo) => boolean)): void;
}

interface Trust {
  readonly trusted: TrustedIssuer;
  readonly keySet: KeySet;
}

export function createTokenVerifier(held: ResolvedAuth): TokenVerifier {
  const trust = new Map<unknown, Trust>(
    held.issuers.map((trusted) => [
      trusted.issuer,
      { trusted, keySet: createKeySet(trusted.keySource, { issuer: trusted.issuer, ...held }) },
    ]),
  );
  const verifiedTokens = held.verifiedTokens && createVerifiedTokens(held.verifiedTokens);
  const revocations = createRevocations(held.clockToleranceSeconds);
  const rules = { clockToleranceSeconds: held.clockToleranceSeconds, resource: held.resource?.href };

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

  /** The steps in order: form, issuer, algorithm, key, signature, claims, revocation. */
  async function judge(token: string): Promise<VerifiedToken> {
    requireToken68(token, held.maxTokenBytes);
    const jwt = parseCompactJwt(token);
    try {
      // The issuer chooses the key set before any key is looked for: equal `kid`s of two issuers never meet.
      const issuer = trust.get(jwt.payload.iss);
      if (issuer === undefined) throw new AuthError('unknown_issuer');
      if (!isAcceptedAlgorithm(jwt.alg)) throw new AuthError('unsupported_algorithm', { alg: jwt.alg });
      const key = await findSigningKey(jwt, issuer.keySet);
      const auth = authInfoFrom(jwt, { trusted: issuer.trusted, ...rules });
      if (revocations.includes(auth)) throw new AuthError('token_revoked');
      const verified = { ...issuer, auth, key };
      verifiedTokens?.remember(verified);
      return verified;
    } catch (error) {
      throw error instanceof AuthError || error instanceof UpstreamError ? error.with(evidenceOf(jwt)) : error;
    }
  }

  return {
    recall: (token) => verifiedTokens?.recall(token),
    verify,
    revoke(what) {
      revocations.add(what);
      verifiedTokens?.forget(revocations.includes);
    },
  };
}

/** The key that made the token's signature. */
async function findSigningKey(jwt: CompactJwt, keySet: KeySet): Promise<VerificationKey> {
  const { kid, alg } = jwt;
  const key = await keySet.find(kid, alg);
  try {
    await verifySignature(jwt, key.key);
    return key;
  } catch (error) {
    // A key can be replaced by one of the same name, or of none: only the signature tells.
    const another = await keySet.find(kid, alg, key).catch((failure: unknown) => {
      // While its server is away, a key without a name may be a new one; one that is named is the one that was named.
      throw failure instanceof AuthError || kid !== undefined ? error : failure;
    });
    await verifySignature(jwt, another.key);
    return another;
  }
}
