import { forEveryOrigin } from '../http/endpoint.js';
import type { Middleware } from '../http/middleware.js';
import { replyJson } from '../http/reply.js';
import { wellKnownPath, withoutClosingSlash } from '../http/well-known.js';
import { METADATA_METHODS, resourceMetadataPath } from '../oauth/well-known.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';

/** The documents that a policy would serve at the root of its origin, by path. */
export type RootDocuments = ReadonlyMap<string, Middleware>;

interface Tenant {
  readonly href: string;
  /** The same for two spellings of one resource. */
  readonly resource: string;
  readonly documents: RootDocuments;
  /** Its claim to a document of the origin, where the origin has other resources too: the greatest counts. */
  claimTo(path: string): number;
}

const SERVER_PATH = wellKnownPath('oauth-authorization-server');

/** The documents that clients look for at the root of an origin, beside those at the path of the resource. */
export const ROOT_PATHS: readonly string[] = [resourceMetadataPath('/'), SERVER_PATH];

/** The policies of this process, by the origin of their resource. Only their middlewares keep them in memory. */
const tenants = new Map<string, WeakRef<Tenant>[]>();

/**
 * Shares the root of an origin among its resources: the documents there are those of the resource that is the origin itself, else of the
 * only resource. Of several, none is the right one for clients that know the origin only.
 *
 * @returns For each of the paths what answers it.
 */
export function shareRoot(policy: ResolvedAuth, documents: RootDocuments): RootDocuments {
  const { resource, logger } = policy;
  if (resource === undefined) return documents;
  const { origin, href } = resource;
  const name = withoutClosingSlash(origin + resource.pathname);
  const tenant: Tenant = { href, resource: name, documents, claimTo: claimsOf(policy, documents) };
  const others = tenantsOf(origin);
  tenants.set(
    origin,
    [...others, tenant].map((each) => new WeakRef(each)),
  );
  ofPolicies.set(policy, tenant);
  const [path = ''] = ROOT_PATHS;
  const isNew = others.every((other) => other.resource !== name);
  if (isNew && ownerOf(origin, path) === undefined) {
    const hrefs = [...new Set([...others.map((other) => other.href), href])].join(', ');
    logger.info(`${origin} has several resources (${hrefs}): none of them is described at ${path}`);
  }
  const answer = (path: string): Middleware => {
    // Of two policies for one resource, each answers for itself.
    return (req, res, next) => {
      const owner = ownerOf(origin, path);
      const { documents } = owner?.resource === name ? tenant : (owner ?? NO_DOCUMENTS);
      (documents.get(path) ?? replyNone)(req, res, next);
    };
  };
  return new Map([...documents.keys()].map((path) => [path, answer(path)]));
}

const ofPolicies = new WeakMap<ResolvedAuth, Tenant>();

/** Takes a policy that is no longer served out of the share, before the memory of its middlewares is reclaimed. */
export function leaveRoot(policy: ResolvedAuth): void {
  const origin = policy.resource?.origin ?? '';
  const others = (tenants.get(origin) ?? []).filter((each) => each.deref() !== ofPolicies.get(policy));
  if (others.length === 0) tenants.delete(origin);
  else tenants.set(origin, others);
}

const NO_DOCUMENTS = { documents: new Map<string, Middleware>() };

/**
 * What is the origin itself has its documents there by their standards. After it, the authorization server of the whole origin is that of
 * the policy with `legacyEndpoints`.
 */
function claimsOf({ resource, oauthProxy }: ResolvedAuth, documents: RootDocuments): Tenant['claimTo'] {
  return (path) => {
    if (!documents.has(path)) return 0;
    if (resource?.pathname === '/') return 2;
    return path === SERVER_PATH && oauthProxy?.legacyEndpoints === true ? 1 : 0;
  };
}

function tenantsOf(origin: string): readonly Tenant[] {
  return (tenants.get(origin) ?? []).flatMap((each) => each.deref() ?? []);
}

function ownerOf(origin: string, path: string): Tenant | undefined {
  const all = tenantsOf(origin);
  const owner = [2, 1].flatMap((claim) => all.find((tenant) => tenant.claimTo(path) === claim) ?? [])[0];
  if (owner !== undefined) return owner;
  const [first, ...others] = all;
  return others.every(({ resource }) => resource === first?.resource) ? first : undefined;
}

const replyNone = forEveryOrigin(METADATA_METHODS, (_req, res) => {
  const description = 'This origin has several resources: look for the metadata of one at its own path';
  replyJson(res, 404, JSON.stringify({ error: 'not_found', error_description: description }));
});
