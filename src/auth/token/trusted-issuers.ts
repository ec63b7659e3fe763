import { forTenant } from '../../oauth/tenant-paths.js';
import { TENANT_ID } from '../../policy/issuer-tenants.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import type { TrustedIssuer } from '../../policy/resolve-issuer.js';
import { type Claims, claimOf } from './claims.js';
import { createTrust, type Trust } from './token-faults.js';

/**
 * Returns an issuer as the policy trusts it for one token: with the name of the token's tenant in it, and the audiences of the resource
 * that the request asks for. Undefined if the token is of another issuer, or of a tenant that is not accepted.
 *
 * @param tenant The tenant in the path of the request, if the resource has one.
 */
export function trustedFor(
  trusted: TrustedIssuer,
  payload: Claims,
  tenant: string | undefined,
): TrustedIssuer | undefined {
  const issuer = issuerIn(trusted, payload);
  if (issuer === undefined || claimOf(payload, 'iss') !== issuer) return undefined;
  if (issuer === trusted.issuer && tenant === undefined) return trusted;
  return { ...trusted, issuer, audiences: audiencesFor(trusted, tenant) };
}

/** The audiences that a token must have for this tenant of the resource. */
export function audiencesFor({ audiences }: TrustedIssuer, tenant: string | undefined): readonly string[] {
  return tenant === undefined ? audiences : audiences.map((audience) => forTenant(audience, tenant));
}

/** The name that the issuer has in this token: with the token's `tid`, if the policy accepts that tenant. */
function issuerIn({ issuer, tenants }: TrustedIssuer, payload: Claims): string | undefined {
  if (tenants === undefined) return issuer;
  const tid = tenantIdIn(payload);
  if (tid === undefined || (tenants !== '*' && !tenants.includes(tid))) return undefined;
  return issuer.replace(TENANT_ID, () => tid);
}

/** A text that needs no encoding in a URL, so that it cannot name another path. */
const ID = /^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,64}$/;

/** The tenant that issued a token of an issuer with many tenants (Entra ID: `tid`). */
export function tenantIdIn(payload: Claims): string | undefined {
  const tid = claimOf(payload, 'tid');
  return typeof tid === 'string' && ID.test(tid) ? tid : undefined;
}

/** Finds the issuer of a token in a policy, with its keys. */
export type FindTrust = (payload: Claims, tenant: string | undefined) => Trust | undefined;

/** The issuers of a policy, each with its keys. The issuer selects the key set before any key is selected, so that equal `kid`s of two issuers are never confused. */
export function createTrustedIssuers(resolved: ResolvedAuth) {
  const all = resolved.issuers.map((trusted) => createTrust(trusted, resolved));
  const byName = new Map<unknown, Trust>(all.map((trust) => [trust.trusted.issuer, trust]));
  const ofTenants = all.filter(({ trusted }) => trusted.tenants !== undefined);

  const find: FindTrust = (payload, tenant) => {
    const named = byName.get(claimOf(payload, 'iss'));
    for (const trust of named === undefined ? ofTenants : [named]) {
      const trusted = trustedFor(trust.trusted, payload, tenant);
      if (trusted === trust.trusted) return trust;
      if (trusted !== undefined) return { ...trust, trusted };
    }
    return undefined;
  };

  return { find, names: resolved.issuers.map(({ issuer }) => issuer), keySets: all.map(({ keySet }) => keySet) };
}
