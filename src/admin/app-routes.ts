import { factsOf } from '../bridge/backend-facts.js';
import { SILENT } from '../core/logger.js';
import type { McpAuth } from '../index.js';
import { requiresToken } from '../policy/modes.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { resourceAt } from '../policy/resolve-resource.js';
import { policyOf } from '../policy/resolved-policy.js';
import { isMemoryStore } from '../store/memory-store.js';
import type { ResolvedAdmin } from './admin-options.js';
import type { AdminRoute, AnyBackend } from './admin-source.js';
import { statsOf, targetsOf } from './backend-route.js';
import { callAddressFor } from './call-address.js';
import { checkBackend, checkKeys, Readiness } from './readiness.js';

/** Returns the routes of an application: one for each backend, and one for an MCP server behind `auth` that is not a backend. */
export function routesOfApp({
  backends,
  serverPath,
  auth,
}: Pick<ResolvedAdmin, 'backends' | 'serverPath' | 'auth'>): readonly AdminRoute[] {
  const policy = auth && policyOf('mcpAdmin()', auth);
  const known =
    serverPath ?? (backends.size === 0 && auth !== undefined ? (policy?.resource?.pathname ?? '/') : undefined);
  const mounted: [path: string, backend: AnyBackend | undefined][] = [...backends];
  if (known !== undefined) mounted.push([known, undefined]);
  const isOnly = mounted.length === 1;
  return mounted.map(([path, backend]) => createAppRoute({ path, backend, auth, policy, isOnly }));
}

interface AppRoute {
  readonly path: string;
  readonly backend: AnyBackend | undefined;
  readonly auth: McpAuth | undefined;
  readonly policy: ResolvedAuth | undefined;
  /** True for the only route of the application: the resource of the policy is its address, whatever path a proxy has removed. */
  readonly isOnly: boolean;
}

function createAppRoute({ path, backend, auth, policy, isOnly }: AppRoute): AdminRoute {
  const checks = [...(auth ? [checkKeys('auth', auth)] : []), ...(backend ? [checkBackend(path, backend)] : [])];
  const readiness = new Readiness(() => checks, SILENT);
  // The resource of one tenant, if the path names one.
  const resource = resourceAt(policy?.resource, path);
  const address = isOnly || resource?.pathname === path ? resource?.href : undefined;
  // Requests without a tenant are refused, and the page does not know of which tenant the operator is.
  const isCallable = policy?.resource === undefined || resource !== undefined;
  return {
    id: path,
    name: path,
    url: address,
    mode: policy?.modeName,
    authenticates: policy !== undefined && requiresToken(policy.modeName),
    targets: targetsOf(backend),
    problems: () => readiness.problems(),
    stats: () => statsOf(backend),
    sessions: () => (backend === undefined ? [] : (factsOf(backend)?.sessions() ?? [])),
    revocation: auth && { revoke: auth.revoke, isShared: isShared(policy) },
    doctorTarget: address === undefined ? undefined : { url: address, policy, reader: 'code' },
    callAddress: isCallable ? callAddressFor(path, policy) : undefined,
    developmentToken: undefined,
  };
}

/** True if a store outlives this process. */
function isShared(policy: ResolvedAuth | undefined): boolean {
  return policy?.store !== undefined && !isMemoryStore(policy.store);
}
