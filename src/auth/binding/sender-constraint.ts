import type { AuthInfo } from '../../core/auth-info.js';
import { AuthError } from '../../core/errors.js';
import { isRecord } from '../../http/json-object.js';
import type { Scheme } from '../../oauth/credentials.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import { createGuardedStore } from '../../store/guarded-store.js';
import type { VerifiedToken } from '../token/token-cache.js';
import {
  loadProofChecks,
  type Presentation,
  type ProofContext,
  proofWindowSeconds,
  verifyCertificate,
  verifyDpopProof,
} from './proof.js';
import { createProofIds, createSharedProofIds, type ProofIds } from './proof-ids.js';

/** Creates the check that a bound token (`cnf`, RFC 7800) comes with its proof, and that the policy accepts tokens bound in this way. */
export function createSenderConstraint(policy: ResolvedAuth) {
  const { dpop, mtls, clockToleranceSeconds } = policy;
  const proofIds = proofIdsOf(policy);
  const context: ProofContext = { clockToleranceSeconds, proofIds };
  // Starts loading now, so that the first request waits less. If this fails, the first request loads again and reports the failure.
  if (dpop !== 'off' || mtls !== undefined) loadProofChecks().catch(() => undefined);
  const acceptsUnbound = dpop !== 'require' && mtls?.required !== true;

  /** @throws {AuthError} If the policy refuses this binding, or the proof is missing or wrong. */
  async function check(verified: VerifiedToken, presentation: Presentation): Promise<void> {
    const fault = bindingFault(verified.auth, presentation.scheme, policy);
    if (fault !== undefined) throw fault;
    if (presentation.scheme === 'dpop') return verifyDpopProof(verified, presentation, context);
    if (isBound(verified.auth)) return verifyCertificate(verified, presentation, context);
  }

  return {
    /** True if there is nothing to check: the token is a plain bearer token, and the policy requires no binding. */
    isPlain: (auth: AuthInfo, scheme: Scheme): boolean => acceptsUnbound && scheme === 'bearer' && !isBound(auth),
    check,
  };
}

function proofIdsOf({ dpop, clockToleranceSeconds, store, logger }: ResolvedAuth): ProofIds {
  const windowSeconds = proofWindowSeconds(clockToleranceSeconds);
  const own = createProofIds(windowSeconds);
  if (store === undefined || dpop === 'off') return own;
  const meanwhile = 'requests with a DPoP proof are answered 503';
  const guarded = createGuardedStore(store, { who: 'mcpAuth()', meanwhile, logger });
  // The clocks of two replicas may differ by the tolerance, in both directions.
  return createSharedProofIds(own, store, guarded, windowSeconds + 2 * clockToleranceSeconds);
}

/** The only scheme in which a token is accepted (RFC 9449, section 7.1). */
export function schemeOfToken({ payload: { cnf } }: AuthInfo): Scheme {
  return isRecord(cnf) && 'jkt' in cnf ? 'dpop' : 'bearer';
}

/** The parts of a token that show how it is bound. */
interface Token {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

export function isBound({ payload }: Token): boolean {
  return payload.cnf !== undefined;
}

/**
 * Returns why the policy refuses a token in this scheme, whatever proof comes with it. Undefined if only the proof remains
 * to be checked, or none is needed.
 */
export function bindingFault(token: Token, scheme: Scheme, { dpop, mtls }: ResolvedAuth): AuthError | undefined {
  const method = confirmationMethod(token);
  if (method === 'unknown') return new AuthError('unsupported_confirmation');
  // express-oauth2-jwt-bearer knows this algorithm only by its older name, EdDSA (RFC 9864).
  if (method !== undefined && token.header.alg === 'Ed25519') {
    return new AuthError('unsupported_algorithm', { alg: 'Ed25519', reason: 'a bound token; sign with EdDSA' });
  }
  if (mtls?.required === true && method !== 'x5t#S256') return new AuthError('certificate_required');
  if (scheme === 'dpop') return method === 'jkt' ? undefined : new AuthError('unbound_token');
  // A thief has the token without its key, and would present it as a bearer token (RFC 9449, section 7.1).
  if (method === 'jkt') return new AuthError('bound_token');
  if (dpop === 'require') return new AuthError('dpop_required');
  return method !== undefined && mtls === undefined ? new AuthError('bound_token') : undefined;
}

/** The confirmation method that a token names (RFC 7800); `unknown` if it names several, or an unsupported one. */
function confirmationMethod(token: Token): 'jkt' | 'x5t#S256' | 'unknown' | undefined {
  if (!isBound(token)) return undefined;
  const { cnf } = token.payload;
  const [method, another] = isRecord(cnf) ? Object.keys(cnf) : [];
  return another === undefined && (method === 'jkt' || method === 'x5t#S256') ? method : 'unknown';
}
