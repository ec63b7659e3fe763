import { AuthError, UpstreamError } from '../core/errors.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import type { TrustedIssuer } from '../policy/resolve-issuer.js';
import { bindingFault, isBound } from './binding/sender-constraint.js';
import { createCredentialVerifiers } from './credential/credential-verifiers.js';
import { missingScopes, scopesOf } from './token/claims.js';
import { type CompactJwt, parseToken } from './token/compact-jwt.js';
import { createIssuerWithKeys, type TokenFault, tokenFaults } from './token/token-faults.js';
import { audiencesFor, trustedFor } from './token/trusted-issuers.js';

/** The result of checking one token against a policy. */
export interface TokenInspection {
  /** In the order in which `mcpAuth()` checks: it refuses the token for the first fault. Empty if it accepts the token. */
  readonly faults: readonly TokenFault[];
  /** Undefined if the token cannot be parsed, or the policy has no issuer. */
  readonly read: { readonly jwt: CompactJwt; readonly trusted: TrustedIssuer } | undefined;
}

/**
 * Finds every fault of a token that comes as a bearer token without a client certificate. `mcpAuth()` stops at the first one.
 *
 * @param url The URL that the token is for, which may name a tenant of the resource.
 */
export async function inspectToken(token: string, policy: ResolvedAuth, url?: string): Promise<TokenInspection> {
  const verifyOther = createCredentialVerifiers(policy)(token, false);
  if (verifyOther !== undefined) return { faults: await faultsOf(verifyOther(token)), read: undefined };
  let jwt: CompactJwt;
  try {
    jwt = parseToken(token, policy.maxTokenBytes);
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    return { faults: [{ check: 'form', error }], read: undefined };
  }
  const candidates = candidatesFor(jwt, policy, url);
  if (candidates.length === 0)
    return { faults: [{ check: 'issuer', error: new AuthError('unknown_issuer') }], read: undefined };
  const results = await Promise.all(candidates.map((trusted) => inspectFor(jwt, trusted, policy)));
  return results.reduce((best, other) => (other.faults.length < best.faults.length ? other : best));
}

/** Another server knows what a credential is that is not a JWT, so its first fault is the only one that is known. */
async function faultsOf(verification: Promise<unknown>): Promise<TokenFault[]> {
  try {
    await verification;
    return [];
  } catch (error) {
    if (error instanceof AuthError || error instanceof UpstreamError) return [{ check: 'form', error }];
    throw error;
  }
}

/** A token of an unknown issuer is checked against every issuer. The best match is reported, with the token's other faults. */
function candidatesFor(
  { payload }: CompactJwt,
  { issuers, resource }: ResolvedAuth,
  url: string | undefined,
): readonly TrustedIssuer[] {
  const tenant = url === undefined ? undefined : resource?.tenants?.tenantAt(new URL(url).pathname);
  const named = issuers.flatMap((trusted) => trustedFor(trusted, payload, tenant) ?? []);
  return named.length > 0
    ? named
    : issuers.map((trusted) => ({ ...trusted, audiences: audiencesFor(trusted, tenant) }));
}

async function inspectFor(jwt: CompactJwt, trusted: TrustedIssuer, policy: ResolvedAuth): Promise<TokenInspection> {
  const faults: TokenFault[] = [];
  for await (const fault of tokenFaults(jwt, createIssuerWithKeys(trusted, policy))) faults.push(fault);
  const binding = bindingFault(jwt, 'bearer', policy);
  if (binding !== undefined) faults.push({ check: 'binding', error: binding });
  else if (isBound(jwt)) faults.push({ check: 'binding', error: new AuthError('certificate_required') });
  const missing = missingScopes(policy.requiredScopes, scopesOf(jwt.payload, trusted.scopesClaim));
  if (missing.length > 0)
    faults.push({ check: 'requiredScopes', error: new AuthError('insufficient_scope', { missing }) });
  return { faults, read: { jwt, trusted } };
}
