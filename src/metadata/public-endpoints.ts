import { AuthError } from '../core/errors.js';
import { forEveryOrigin } from '../http/endpoint.js';
import type { Middleware } from '../http/middleware.js';
import { prepareJson, replyJson, sendJson } from '../http/reply.js';
import { repeatedHeaderRefusal } from '../oauth/credentials.js';
import { createRefusal, type Refuse } from '../oauth/refusal.js';
import { requestOrigin } from '../oauth/request-origin.js';
import { noteServedMetadata } from '../oauth/served-metadata.js';
import { TENANT, tenantIn } from '../oauth/tenant-paths.js';
import { METADATA_METHODS, resourceMetadataPath, resourceMetadataPaths } from '../oauth/well-known.js';
import { oauthProxyOf } from '../oauth-proxy/oauth-proxy.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { type ResourceIdentity, resourceOfTenant } from '../policy/resolve-resource.js';
import { buildResourceMetadata } from './resource-metadata.js';
import { ROOT_PATHS, shareRoot } from './root-documents.js';

/** The endpoints of a policy, by path. */
export interface PublicEndpoints {
  /** Undefined if the policy does not answer this path. */
  get(path: string): Middleware | undefined;
}

const endpointsOf = new WeakMap<ResolvedAuth, PublicEndpoints>();

/**
 * Returns the endpoints that a policy answers without a token: the protected resource metadata (RFC 9728) for every origin, and the
 * endpoints of its OAuth proxy. Each answers every method itself, and calls `next` only with an error, so that no request reaches the
 * application. Created once for each policy.
 */
export function publicEndpointsOf(policy: ResolvedAuth): PublicEndpoints {
  const known = endpointsOf.get(policy);
  if (known !== undefined) return known;
  const endpoints = createPublicEndpoints(policy);
  endpointsOf.set(policy, endpoints);
  return endpoints;
}

function createPublicEndpoints(policy: ResolvedAuth): PublicEndpoints {
  const { resource, metadataUrl } = policy;
  const refuse = createRefusal(policy);
  if (resource?.tenants !== undefined) return createTenantEndpoints(policy, resource, refuse);
  const document = documentEndpoint(createResourceMetadata(policy, refuse));
  const paths = [...resourceMetadataPaths(resource?.pathname ?? '/'), ...pathsOfUrl(metadataUrl)];
  const oauthProxy = policy.oauthProxy === undefined ? [] : oauthProxyOf(policy.oauthProxy, policy);
  const endpoints = new Map([...oauthProxy, ...paths.map((path) => [path, document] as const)]);
  const atRoot = new Map([...endpoints].filter(([path]) => ROOT_PATHS.includes(path)));
  const all = [...endpoints, ...shareRoot(policy, atRoot, paths)];
  return findByPath(new Map(all.map(([path, endpoint]) => [path, refuseRepeatedHeaders(endpoint, refuse)])));
}

/** Most requests are for no endpoint. Comparing the lengths of paths first saves hashing them. */
function findByPath(endpoints: ReadonlyMap<string, Middleware>): PublicEndpoints {
  const lengths = new Uint8Array(Math.max(...[...endpoints.keys()].map(({ length }) => length)) + 1);
  for (const { length } of endpoints.keys()) lengths[length] = 1;
  return { get: (path) => (lengths[path.length] === 1 ? endpoints.get(path) : undefined) };
}

function documentEndpoint(answer: Middleware): Middleware {
  const metadata = forEveryOrigin(METADATA_METHODS, answer);
  return (req, res, next) => {
    noteServedMetadata(req);
    metadata(req, res, next);
  };
}

/** The path of a URL in challenges, and what is left of it behind a proxy that removes a prefix. */
function pathsOfUrl(url: string | undefined): readonly string[] {
  if (url === undefined) return [];
  // A URL object encodes the braces.
  const pathname = new URL(url).pathname.replace('%7Btenant%7D', TENANT);
  const start = pathname.indexOf(resourceMetadataPath('/'));
  return start === -1 ? [pathname] : [pathname, pathname.slice(start)];
}

/** The documents of a resource that exists once for each tenant. None is at the root, since it could describe only one. */
function createTenantEndpoints(policy: ResolvedAuth, resource: ResourceIdentity, refuse: Refuse): PublicEndpoints {
  const paths = [resourceMetadataPath(resource.pathname), ...pathsOfUrl(policy.metadataUrl)];
  shareRoot(policy, new Map(), paths);
  return {
    get(path) {
      const tenant = tenantIn(path, paths);
      if (tenant === undefined) return undefined;
      const { href } = resourceOfTenant(resource, tenant);
      const answer: Middleware = (_req, res) =>
        replyJson(res, 200, JSON.stringify(buildResourceMetadata(policy, href)));
      return refuseRepeatedHeaders(documentEndpoint(answer), refuse);
    },
  };
}

function refuseRepeatedHeaders(endpoint: Middleware, refuse: Refuse): Middleware {
  return (req, res, next) => {
    const repeated = repeatedHeaderRefusal(req);
    if (repeated === undefined) endpoint(req, res, next);
    else refuse(req, res, repeated.code, 'bearer');
  };
}

/** The document is serialised once if the resource is configured, otherwise for each request. */
function createResourceMetadata(policy: ResolvedAuth, refuse: Refuse): Middleware {
  if (policy.resource !== undefined) {
    const reply = prepareJson(200, JSON.stringify(buildResourceMetadata(policy, policy.resource.href)));
    return (_req, res) => sendJson(res, reply);
  }
  return (req, res) => {
    let origin: string;
    try {
      origin = requestOrigin(req);
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      refuse(req, res, error.code, 'bearer');
      return;
    }
    replyJson(res, 200, JSON.stringify(buildResourceMetadata(policy, origin)));
  };
}
