import type { OptionChecks } from '../options/checks.js';
import { namesNoTenant } from '../providers/entra.js';

/** Stands for the tenant in the name of an issuer, as Entra ID's metadata writes it. */
export const TENANT_ID = '{tenantid}';

const FIX = 'List the ids of the tenants whose users may come in, or write "*" for every tenant.';

/** Reads the option `tenants`, which an issuer with `{tenantid}` needs and no other issuer may have. */
export function resolveTenants(
  checks: OptionChecks,
  { issuer, tenants }: { readonly issuer: string; readonly tenants: unknown },
  path: string,
): readonly string[] | '*' | undefined {
  const isTemplate = issuer.split(TENANT_ID).length === 2;
  if (!isTemplate) refuseManyTenants(checks, issuer, `${path}issuer`);
  if (tenants === undefined && !isTemplate) return undefined;
  const option = `${path}tenants`;
  if (!isTemplate) {
    const expected = `left out where the issuer has no ${TENANT_ID}`;
    checks.refuse(option, expected, tenants, `Write "https://login.microsoftonline.com/${TENANT_ID}/v2.0".`);
  }
  if (tenants === undefined) checks.refuse(option, `given where the issuer has ${TENANT_ID}`, tenants, FIX);
  if (tenants === '*') return '*';
  const list = Array.isArray(tenants) ? checks.strings(tenants, option, FIX) : [];
  return list.length > 0 ? list : checks.refuse(option, 'a non-empty array of tenants, or "*"', tenants, FIX);
}

/** Refuses the addresses of Entra ID for several tenants, and an issuer with the placeholder twice. */
function refuseManyTenants(checks: OptionChecks, issuer: string, option: string): void {
  if (!namesNoTenant(issuer) && !issuer.includes(TENANT_ID)) return;
  const expected = 'the issuer of tokens, whose "iss" names the tenant that issued them';
  const fix = `Write the id of your tenant in its place, or ${TENANT_ID} with "tenants" for several.`;
  checks.refuse(option, expected, issuer, fix);
}
