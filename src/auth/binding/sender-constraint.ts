import type { AuthInfo } from '../../core/auth-info.js';
import { AuthError } from '../../core/errors.js';
import type { DpopMode } from '../../oauth/challenge.js';
import type { Scheme } from '../../oauth/credentials.js';
import type { VerifiedToken } from '../token/verified-tokens.js';
import {
  loadProofChecks,
  type Presentation,
  type ProofContext,
  proofWindowSeconds,
  verifyCertificate,
  verifyDpopProof,
} from './proof.js';
import { createProofIds } from './proof-ids.js';

/** What a policy asks of bound tokens (`cnf`, RFC 7800). */
export interface SenderConstraint {
  /** True where there is nothing to prove: a plain bearer token, and nothing else is required. */
  isPlain(auth: AuthInfo, scheme: Scheme): boolean;
  /** @throws {AuthError} */
  check(verified: VerifiedToken, presentation: Presentation): Promise<void>;
}

export interface SenderConstraintOptions {
  readonly dpop: DpopMode;
  readonly mtls: 'off' | 'accept' | 'require';
  readonly clockToleranceSeconds: number;
}

export function createSenderConstraint(options: SenderConstraintOptions): SenderConstraint {
  const { dpop, mtls, clockToleranceSeconds } = options;
  const proofIds = createProofIds(proofWindowSeconds(clockToleranceSeconds));
  const context: ProofContext = { clockToleranceSeconds, proofIds };
  // Begun here, so that the first request waits less; it asks again, and learns of a failure.
  if (dpop !== 'off' || mtls !== 'off') loadProofChecks().catch(() => undefined);
  const isFree = dpop !== 'require' && mtls !== 'require';

  async function check(verified: VerifiedToken, presentation: Presentation): Promise<void> {
    const confirmation = confirmationOf(verified.auth);
    // The package that checks proofs knows this algorithm by its older name only (RFC 9864).
    if (confirmation !== undefined && verified.auth.header.alg === 'Ed25519') {
      throw new AuthError('unsupported_algorithm', { alg: 'Ed25519', reason: 'a bound token; sign with EdDSA' });
    }
    if (mtls === 'require' && confirmation !== 'x5t#S256') throw new AuthError('certificate_required');
    if (presentation.scheme === 'dpop') {
      if (confirmation !== 'jkt') throw new AuthError('unbound_token');
      return verifyDpopProof(verified, presentation, context);
    }
    // RFC 9449, section 7.1: a bound token presented as a bearer token is what a thief would do.
    if (confirmation === 'jkt') throw new AuthError('bound_token');
    if (dpop === 'require') throw new AuthError('dpop_required');
    if (confirmation === undefined) return;
    if (mtls === 'off') throw new AuthError('bound_token');
    return verifyCertificate(verified, presentation, context);
  }

  return {
    isPlain: (auth, scheme) => isFree && scheme === 'bearer' && auth.payload.cnf === undefined,
    check,
  };
}

/** The only scheme in which a token can pass (RFC 9449, section 7.1). */
export function schemeOfToken({ payload: { cnf } }: AuthInfo): Scheme {
  return typeof cnf === 'object' && cnf !== null && 'jkt' in cnf ? 'dpop' : 'bearer';
}

/** The one way of confirmation that a token names; several at once, or one not known here, cannot be honoured. */
function confirmationOf({ payload }: AuthInfo): 'jkt' | 'x5t#S256' | undefined {
  const { cnf } = payload;
  if (cnf === undefined) return undefined;
  const [method, another] = typeof cnf === 'object' && cnf !== null ? Object.keys(cnf) : [];
  if (another === undefined && (method === 'jkt' || method === 'x5t#S256')) return method;
  throw new AuthError('unsupported_confirmation');
}
