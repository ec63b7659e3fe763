import { AuthError } from '../core/errors.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import type { TrustedIssuer } from '../policy/resolve-issuer.js';
import { bindingFault, isBound } from './binding/sender-constraint.js';
import { claimOf, missingScopes, scopesOf } from './token/claims.js';
import { type CompactJwt, parseToken } from './token/compact-jwt.js';
import { createTrust, type TokenFault, tokenFaults } from './token/token-faults.js';

/** Everything that a policy says about one token. */
export interface TokenInspection {
  /** In the order of `mcpAuth()`, which refuses the token with the first; empty where it accepts the token. */
  readonly faults: readonly TokenFault[];
  /** Undefined where the token cannot be read. */
  readonly read: { readonly jwt: CompactJwt; readonly trusted: TrustedIssuer } | undefined;
}

/** Examines a token as `mcpAuth()` does when it comes as a bearer token without a client certificate. */
export async function inspectToken(token: string, policy: ResolvedAuth): Promise<TokenInspection> {
  let jwt: CompactJwt;
  try {
    jwt = parseToken(token, policy.maxTokenBytes);
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    return { faults: [{ check: 'form', error }], read: undefined };
  }
  const examined = await Promise.all(candidatesFor(jwt, policy).map((trusted) => examineFor(jwt, trusted, policy)));
  return examined.reduce((best, other) => (other.faults.length < best.faults.length ? other : best));
}

/** A token of an unknown issuer is examined for the issuer that comes nearest, so that its other faults are found too. */
function candidatesFor({ payload }: CompactJwt, { issuers }: ResolvedAuth): readonly TrustedIssuer[] {
  const named = issuers.filter(({ issuer }) => issuer === claimOf(payload, 'iss'));
  return named.length > 0 ? named : issuers;
}

async function examineFor(jwt: CompactJwt, trusted: TrustedIssuer, policy: ResolvedAuth): Promise<TokenInspection> {
  const faults: TokenFault[] = [];
  for await (const fault of tokenFaults(jwt, createTrust(trusted, policy))) faults.push(fault);
  const binding = bindingFault(jwt, 'bearer', policy);
  if (binding !== undefined) faults.push({ check: 'binding', error: binding });
  else if (isBound(jwt)) faults.push({ check: 'binding', error: new AuthError('certificate_required') });
  const missing = missingScopes(policy.requiredScopes, scopesOf(jwt.payload, trusted.scopesClaim));
  if (missing.length > 0)
    faults.push({ check: 'requiredScopes', error: new AuthError('insufficient_scope', { missing }) });
  return { faults, read: { jwt, trusted } };
}
