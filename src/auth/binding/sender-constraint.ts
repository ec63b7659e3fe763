import type { AuthInfo } from '../../core/auth-info.js';
import { AuthError } from '../../core/errors.js';
import { isRecord } from '../../http/json-object.js';
import type { Scheme } from '../../oauth/credentials.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import type { VerifiedToken } from '../token/token-cache.js';
import {
  loadProofChecks,
  type Presentation,
  type ProofContext,
  proofWindowSeconds,
  verifyCertificate,
  verifyDpopProof,
} from './proof.js';
import { createProofIds } from './proof-ids.js';

/** The policy for bound tokens (`cnf`, RFC 7800). */
export function createSenderConstraint(policy: ResolvedAuth) {
  const { dpop, mtls, clockToleranceSeconds } = policy;
  const proofIds = createProofIds(proofWindowSeconds(clockToleranceSeconds));
  const context: ProofContext = { clockToleranceSeconds, proofIds };
  // Begun here, so that the first request waits less; it asks again, and learns of a failure.
  if (dpop !== 'off' || mtls !== undefined) loadProofChecks().catch(() => undefined);
  const isFree = dpop !== 'require' && mtls?.required !== true;

  /** @throws {AuthError} */
  async function check(verified: VerifiedToken, presentation: Presentation): Promise<void> {
    const fault = bindingFault(verified.auth, presentation.scheme, policy);
    if (fault !== undefined) throw fault;
    if (presentation.scheme === 'dpop') return verifyDpopProof(verified, presentation, context);
    if (isBound(verified.auth)) return verifyCertificate(verified, presentation, context);
  }

  return {
    /** True where there is nothing to prove: a plain bearer token, and nothing else is required. */
    isPlain: (auth: AuthInfo, scheme: Scheme): boolean => isFree && scheme === 'bearer' && !isBound(auth),
    check,
  };
}

/** The only scheme in which a token can pass (RFC 9449, section 7.1). */
export function schemeOfToken({ payload: { cnf } }: AuthInfo): Scheme {
  return isRecord(cnf) && 'jkt' in cnf ? 'dpop' : 'bearer';
}

/** As much of a token as says how it is bound. */
interface Token {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

export function isBound({ payload }: Token): boolean {
  return payload.cnf !== undefined;
}

/**
 * Why a policy refuses a token in this scheme, whatever proof comes with it; undefined where only the proof remains to be
 * checked, or there is nothing to prove.
 */
export function bindingFault(token: Token, scheme: Scheme, { dpop, mtls }: ResolvedAuth): AuthError | undefined {
  const method = confirmationMethod(token);
  if (method === 'unknown') return new AuthError('unsupported_confirmation');
  // The package that checks proofs knows this algorithm by its older name only (RFC 9864).
  if (method !== undefined && token.header.alg === 'Ed25519') {
    return new AuthError('unsupported_algorithm', { alg: 'Ed25519', reason: 'a bound token; sign with EdDSA' });
  }
  if (mtls?.required === true && method !== 'x5t#S256') return new AuthError('certificate_required');
  if (scheme === 'dpop') return method === 'jkt' ? undefined : new AuthError('unbound_token');
  // RFC 9449, section 7.1: a bound token presented as a bearer token is what a thief would do.
  if (method === 'jkt') return new AuthError('bound_token');
  if (dpop === 'require') return new AuthError('dpop_required');
  return method !== undefined && mtls === undefined ? new AuthError('bound_token') : undefined;
}

/** The one method of confirmation that a token names (RFC 7800); `unknown` where it names several, or another. */
function confirmationMethod(token: Token): 'jkt' | 'x5t#S256' | 'unknown' | undefined {
  if (!isBound(token)) return undefined;
  const { cnf } = token.payload;
  const [method, another] = isRecord(cnf) ? Object.keys(cnf) : [];
  return another === undefined && (method === 'jkt' || method === 'x5t#S256') ? method : 'unknown';
}
