import { forTenant, isTenant } from '../../oauth/tenant-paths.js';
import { TENANT_ID } from '../../policy/issuer-tenants.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import type { TrustedIssuer } from '../../policy/resolve-issuer.js';
import { type Claims, claimOf } from './claims.js';
import { createIssuerWithKeys, type IssuerWithKeys } from './token-faults.js';

/**
 * Returns an issuer as the policy trusts it for one token: with the id of the token's tenant in its name, and with the audiences of the
 * resource that the request asks for. Undefined if another issuer issued the token, or a tenant that is not accepted.
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

/** The tenant that issued a token of an issuer with many tenants (Entra ID: `tid`). Its form must not change the path of the issuer. */
function tenantIdIn(payload: Claims): string | undefined {
  const tid = claimOf(payload, 'tid');
  return typeof tid === 'string' && isTenant(tid) ? tid : undefined;
}

/** Finds the issuer of a token in a policy, with its keys. */
export type FindIssuer = (payload: Claims, tenant: string | undefined) => IssuerWithKeys | undefined;

/** The issuers of a policy, each with its keys. The issuer selects the key set before any key is selected, so that equal `kid`s of two issuers are never confused. */
export function createTrustedIssuers(resolved: ResolvedAuth) {
  const all = resolved.issuers.map((trusted) => createIssuerWithKeys(trusted, resolved));
  const byName = new Map<unknown, IssuerWithKeys>(all.map((issuer) => [issuer.trusted.issuer, issuer]));
  const ofTenants = all.filter(({ trusted }) => trusted.tenants !== undefined);

  const find: FindIssuer = (payload, tenant) => {
    const named = byName.get(claimOf(payload, 'iss'));
    for (const issuer of named === undefined ? ofTenants : [named]) {
      const trusted = trustedFor(issuer.trusted, payload, tenant);
      if (trusted === issuer.trusted) return issuer;
      if (trusted !== undefined) return { ...issuer, trusted };
    }
    return undefined;
  };

  return { find, names: resolved.issuers.map(({ issuer }) => issuer), keySets: all.map(({ keySet }) => keySet) };
}
