import { AuthError, UpstreamError } from '../../core/errors.js';
import { withoutClosingSlash } from '../../http/well-known.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import type { TrustedIssuer } from '../../policy/resolve-issuer.js';
import { createKeySet } from '../keys/create-key-set.js';
import type { KeySet } from '../keys/key-set.js';
import { checkSignature, isAcceptedAlgorithm } from '../keys/signature.js';
import type { VerificationKey } from '../keys/verification-key.js';
import { type Claims, claimAt, claimOf, clientClaimOf, isNumericDate, scopeClaims, stringsOf } from './claims.js';
import type { CompactJwt } from './compact-jwt.js';
import { otherKindOf } from './token-kind.js';

/** An issuer of the policy, with its keys: everything that a token is checked against. */
export interface IssuerWithKeys {
  readonly trusted: TrustedIssuer;
  readonly keySet: KeySet;
  readonly clockToleranceSeconds: number;
}

/** The checks of a token, in the order in which `mcpAuth()` makes them. */
export const TOKEN_CHECKS = Object.freeze([
  ...(['form', 'issuer', 'signature', 'type', 'time', 'audience'] as const),
  ...(['requiredClaims', 'names', 'scopeClaims', 'binding', 'requiredScopes'] as const),
]);

export type TokenCheck = (typeof TOKEN_CHECKS)[number];

/** One reason to refuse a token: its code and evidence, and which check found it. */
export interface TokenFault {
  readonly check: TokenCheck;
  readonly error: AuthError | UpstreamError;
}

export function createIssuerWithKeys(trusted: TrustedIssuer, resolved: ResolvedAuth): IssuerWithKeys {
  const keySet = createKeySet(trusted.jwksSource, { issuer: trusted.issuer, ...resolved });
  return { trusted, keySet, clockToleranceSeconds: resolved.clockToleranceSeconds };
}

/**
 * Finds every fault of a parsed token, in the order in which `mcpAuth()` checks: it refuses the token for the first one.
 * Returns the key that verified the signature; without such a key there is a fault.
 *
 * Checks on demand: a caller that stops at the first fault pays for no further check.
 */
export async function* tokenFaults(
  jwt: CompactJwt,
  issuer: IssuerWithKeys,
): AsyncGenerator<TokenFault, VerificationKey | undefined> {
  if (claimOf(jwt.payload, 'iss') !== issuer.trusted.issuer) {
    yield { check: 'issuer', error: new AuthError('unknown_issuer') };
  }
  const key = yield* signatureFaults(jwt, issuer);
  yield* claimFaults(jwt, issuer);
  return key;
}

async function* signatureFaults(
  jwt: CompactJwt,
  issuer: IssuerWithKeys,
): AsyncGenerator<TokenFault, VerificationKey | undefined> {
  const found = await findSigningKey(jwt, issuer).catch(expectedErrorOf);
  if (!(found instanceof Error)) return found;
  yield { check: 'signature', error: found };
  return undefined;
}

/** Returns the key that verifies the token's signature, or the fault of the signature. Rejects if the keys or a package cannot be loaded. */
async function findSigningKey(
  jwt: CompactJwt,
  { keySet, trusted }: IssuerWithKeys,
): Promise<VerificationKey | AuthError | UpstreamError> {
  const { kid, alg } = jwt;
  if (!isAcceptedAlgorithm(alg)) return new AuthError('unsupported_algorithm', { alg });
  const wanted = { kid, alg, ...(trusted.tenants && { issuer: trusted.issuer, tenant: claimOf(jwt.payload, 'tid') }) };
  const key = await keySet.find(wanted);
  const fault = await checkSignature(jwt, key.key);
  if (fault === undefined) return key;
  // A new key can have the same `kid` as the old one, or both have none: only the failed signature shows it.
  const another = await keySet.find(wanted, key).catch(expectedErrorOf);
  if (another instanceof Error) {
    // The key server is unreachable. With a `kid`, the failed key was the right one: report the bad signature. Without,
    // there may be a newer key: report the outage.
    return another instanceof AuthError || kid !== undefined ? fault : another;
  }
  return (await checkSignature(jwt, another.key)) ?? another;
}

/** Returns an `AuthError` or an `UpstreamError`, and throws any other error. */
function expectedErrorOf(error: unknown): AuthError | UpstreamError {
  if (error instanceof AuthError || error instanceof UpstreamError) return error;
  throw error;
}

/** Finds the faults in the claims of a token that has been verified. */
export function* claimFaults(
  jwt: Pick<CompactJwt, 'header' | 'payload'>,
  { trusted, clockToleranceSeconds }: Pick<IssuerWithKeys, 'trusted' | 'clockToleranceSeconds'>,
): Generator<TokenFault> {
  const { payload } = jwt;
  const otherKind = otherKindOf(jwt);
  if (otherKind !== undefined) yield { check: 'type', error: new AuthError('wrong_token_type', otherKind) };
  yield* timeFaults(payload, clockToleranceSeconds);
  yield* audienceFaults(payload, trusted);
  for (const claim of trusted.requiredClaims) {
    if ((claimOf(payload, claim) ?? null) === null) {
      yield { check: 'requiredClaims', error: new AuthError('missing_claim', { claim }) };
    }
  }
  yield* nameFaults(payload, trusted.subjectClaim);
  yield* scopeClaimFaults(payload, trusted.scopesClaim);
}

function* timeFaults(payload: Claims, toleranceSeconds: number): Generator<TokenFault> {
  // `iat` may be in the future, because the issuer's clock may be ahead of this one. But it must be a number.
  for (const claim of ['exp', 'nbf', 'iat']) {
    const value = claimOf(payload, claim);
    if (value !== undefined && !isNumericDate(value)) yield malformed('time', claim);
  }
  const now = Date.now() / 1000;
  const [exp, nbf] = [claimOf(payload, 'exp'), claimOf(payload, 'nbf')];
  if (isNumericDate(exp) && exp + toleranceSeconds <= now) {
    yield { check: 'time', error: new AuthError('token_expired', { exp }) };
  }
  if (isNumericDate(nbf) && nbf - toleranceSeconds > now) {
    yield { check: 'time', error: new AuthError('token_not_active', { nbf }) };
  }
}

function* audienceFaults(payload: Claims, trusted: TrustedIssuer): Generator<TokenFault> {
  const { audienceClaim: claim, audiences: expected, provider } = trusted;
  const { audienceHint } = provider ?? {};
  const found = stringsOf(claimOf(payload, claim));
  if (found === undefined && claimOf(payload, claim) !== undefined) {
    yield malformed('audience', claim);
  } else if (found === undefined || !isMeantFor(expected, found, claim)) {
    const hint = audienceHint === undefined ? {} : { audienceHint };
    const evidence = { claim, expected, ...hint, ...(found === undefined ? {} : { found }) };
    yield { check: 'audience', error: new AuthError('wrong_audience', evidence) };
  } else if (trusted.exclusiveAudience && found.some((audience) => !isMeantFor(expected, [audience], claim))) {
    const reason = 'exclusiveAudience is true, and the token is meant for others too';
    const evidence = { claim, expected, found, reason };
    yield { check: 'audience', error: new AuthError('wrong_audience', evidence) };
  }
}

function isMeantFor(audiences: readonly string[], found: readonly string[], claim: string): boolean {
  // Some clients send `https://host` as `resource`, others `https://host/`. Servers copy it into `aud`.
  const normalize = claim === 'aud' ? withoutClosingSlash : (audience: string) => audience;
  const accepted = audiences.map(normalize);
  return found.some((audience) => accepted.includes(normalize(audience)));
}

/** Subject and client may be missing, but not a number or a list: two users could then become the same string. */
function* nameFaults(payload: Claims, subjectClaim: string): Generator<TokenFault> {
  for (const claim of new Set(['sub', subjectClaim, clientClaimOf(payload)])) {
    if (claim === undefined) continue;
    const value = claimAt(payload, claim);
    if (value !== undefined && typeof value !== 'string') yield malformed('names', claim);
  }
}

function* scopeClaimFaults(payload: Claims, scopesClaim: string | undefined): Generator<TokenFault> {
  for (const claim of scopeClaims(scopesClaim)) {
    const value = claimAt(payload, claim);
    if (value !== undefined && stringsOf(value) === undefined) yield malformed('scopeClaims', claim);
  }
}

function malformed(check: TokenCheck, claim: string): TokenFault {
  return { check, error: new AuthError('malformed_claim', { claim }) };
}
