import { lowerAscii } from '../http/lower-ascii.js';
import { withoutClosingSlash } from '../http/well-known.js';

/** The placeholder of the tenant in a resource, as one whole segment of its path. */
export const TENANT = '{tenant}';

/** The paths of a resource that exists once for each tenant. */
export interface TenantPaths {
  /** Returns the tenant of a request by its path, which may go on below the resource; undefined if the path is not one of the resource. */
  tenantAt(path: string): string | undefined;
}

const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,64}$/;

/** A segment that leads to another path for readers that resolve it, also percent-encoded, after an encoded slash, or with a parameter. */
const DOT_SEGMENT = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?=[/\\;]|%2f|%5c|$)/i;

/** True if a string can be the name of a tenant: one segment of a path that needs no encoding. */
export function isTenant(text: string): boolean {
  return SEGMENT.test(text);
}

/** @param pathname The path of the resource, with {@link TENANT} in it. */
export function createTenantPaths(pathname: string): TenantPaths {
  const [before = '', after = ''] = withoutClosingSlash(pathname).split(TENANT);
  return {
    tenantAt(path) {
      // Express ignores capitals and a closing slash, so the paths that it routes here are compared in the same way.
      if (lowerAscii(path.slice(0, before.length)) !== lowerAscii(before)) return undefined;
      const [tenant = ''] = path.slice(before.length).split('/', 1);
      const rest = path.slice(before.length + tenant.length);
      const isBelow = lowerAscii(`${rest}/`).startsWith(lowerAscii(`${after}/`));
      return isBelow && isTenant(tenant) && !DOT_SEGMENT.test(rest) ? tenant : undefined;
    },
  };
}

/** Returns the tenant of a path that is answered without a token, so it must equal one of the templates exactly. */
export function tenantIn(path: string, templates: readonly string[]): string | undefined {
  for (const template of templates) {
    const [start = '', end] = template.split(TENANT);
    if (end === undefined) continue;
    const tenant = path.slice(start.length, path.length - end.length);
    if (isTenant(tenant) && path === start + tenant + end) return tenant;
  }
  return undefined;
}

/** Writes a tenant in the place of `{tenant}`. */
export function forTenant(text: string, tenant: string): string {
  return text.replaceAll(TENANT, () => tenant);
}
