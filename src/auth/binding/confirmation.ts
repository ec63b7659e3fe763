import { AuthError } from '../../core/errors.js';
import { isRecord } from '../../http/json-object.js';
import type { Scheme } from '../../oauth/credentials.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';

/** What a policy says about bound tokens. */
export type BindingRules = Pick<ResolvedAuth, 'dpop' | 'mtls'>;

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
export function bindingFault(token: Token, scheme: Scheme, { dpop, mtls }: BindingRules): AuthError | undefined {
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
