import { factsOf } from '../bridge/backend-facts.js';
import { SILENT } from '../core/logger.js';
import type { McpAuth } from '../index.js';
import { requiresToken } from '../policy/modes.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { policyOf } from '../policy/resolved-policy.js';
import { isMemoryStore } from '../store/memory-store.js';
import type { ResolvedAdmin } from './admin-options.js';
import type { AdminRoute, AnyBackend } from './admin-source.js';
import { statsOf, targetsOf } from './backend-route.js';
import { callAddressFor } from './call-address.js';
import { checkBackend, checkKeys, Readiness } from './readiness.js';

/** Returns the routes of an application: one for each backend; without backends, the MCP server behind `auth`. */
export function routesOfApp({ backends, auth }: Pick<ResolvedAdmin, 'backends' | 'auth'>): readonly AdminRoute[] {
  const policy = auth && policyOf('mcpAdmin()', auth);
  const of = (path: string, backend?: AnyBackend) => createAppRoute({ path, backend, auth, policy });
  if (backends.size > 0) return [...backends].map(([path, backend]) => of(path, backend));
  return auth === undefined ? [] : [of(policy?.resource === undefined ? '/' : new URL(policy.resource.href).pathname)];
}

interface AppRoute {
  readonly path: string;
  readonly backend: AnyBackend | undefined;
  readonly auth: McpAuth | undefined;
  readonly policy: ResolvedAuth | undefined;
}

function createAppRoute({ path, backend, auth, policy }: AppRoute): AdminRoute {
  const checks = [...(auth ? [checkKeys('auth', auth)] : []), ...(backend ? [checkBackend(path, backend)] : [])];
  const readiness = new Readiness(() => checks, SILENT);
  const address = addressOf(path, policy);
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
    callAddress: callAddressFor(path, policy),
    developmentToken: undefined,
  };
}

/** True if a store outlives this process. */
function isShared(policy: ResolvedAuth | undefined): boolean {
  return policy?.store !== undefined && !isMemoryStore(policy.store);
}

/** Returns the resource of the policy if it has this path. A resource for each tenant has no single address. */
function addressOf(path: string, policy: ResolvedAuth | undefined): string | undefined {
  const { resource } = policy ?? {};
  if (resource === undefined || resource.tenants !== undefined) return undefined;
  return new URL(resource.href).pathname === path ? resource.href : undefined;
}
