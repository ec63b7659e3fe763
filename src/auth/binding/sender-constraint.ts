import type { AuthInfo } from '../../core/auth-info.js';
import { isRecord } from '../../http/json-object.js';
import type { Scheme } from '../../oauth/credentials.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import type { VerifiedToken } from '../token/verified-tokens.js';
import { type BindingRules, bindingFault, isBound } from './confirmation.js';
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

export type SenderConstraintOptions = BindingRules & Pick<ResolvedAuth, 'clockToleranceSeconds'>;

export function createSenderConstraint(options: SenderConstraintOptions): SenderConstraint {
  const { dpop, mtls, clockToleranceSeconds } = options;
  const proofIds = createProofIds(proofWindowSeconds(clockToleranceSeconds));
  const context: ProofContext = { clockToleranceSeconds, proofIds };
  // Begun here, so that the first request waits less; it asks again, and learns of a failure.
  if (dpop !== 'off' || mtls !== undefined) loadProofChecks().catch(() => undefined);
  const isFree = dpop !== 'require' && mtls?.required !== true;

  async function check(verified: VerifiedToken, presentation: Presentation): Promise<void> {
    const fault = bindingFault(verified.auth, presentation.scheme, options);
    if (fault !== undefined) throw fault;
    if (presentation.scheme === 'dpop') return verifyDpopProof(verified, presentation, context);
    if (isBound(verified.auth)) return verifyCertificate(verified, presentation, context);
  }

  return {
    isPlain: (auth, scheme) => isFree && scheme === 'bearer' && !isBound(auth),
    check,
  };
}

/** The only scheme in which a token can pass (RFC 9449, section 7.1). */
export function schemeOfToken({ payload: { cnf } }: AuthInfo): Scheme {
  return isRecord(cnf) && 'jkt' in cnf ? 'dpop' : 'bearer';
}
