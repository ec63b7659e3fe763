import type { Logger } from '../core/logger.js';
import { forEveryOrigin } from '../http/endpoint.js';
import type { Middleware } from '../http/middleware.js';
import { replyJson } from '../http/reply.js';
import { withoutClosingSlash } from '../http/well-known.js';
import {
  METADATA_METHODS,
  OAUTH_PROXY_METHODS,
  ROOT_METADATA_PATH,
  ROOT_REGISTRATION_PATH,
  resourceMetadataPath,
} from '../oauth/well-known.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';

/** The documents that a policy can serve at the root of its origin, by path. */
export type RootDocuments = ReadonlyMap<string, Middleware>;

/** One policy, with its resource and its documents. */
interface Entry {
  readonly href: string;
  /** The same for `https://host` and `https://host/`. */
  readonly resource: string;
  readonly documents: RootDocuments;
  /** Every path at which its metadata is served. */
  readonly paths: readonly string[];
  /** Decides which of several resources serves the document at a path of the origin: the one with the highest priority. */
  priorityAt(path: string): number;
}

/** The paths of the authorization server of an origin. */
const SERVER_PATHS: readonly string[] = [ROOT_METADATA_PATH, ROOT_REGISTRATION_PATH];

/** The paths that clients use at the root of an origin, besides those at the resource's path. */
export const ROOT_PATHS: readonly string[] = [resourceMetadataPath('/'), ...SERVER_PATHS];

/** The policies of this process, by the origin of their resource. Only their middlewares keep them in memory. */
const entriesByOrigin = new Map<string, WeakRef<Entry>[]>();

/**
 * Decides which resource of an origin serves the documents at its root: the resource that is the origin itself, else the only
 * resource. If there are several, none does: a client that knows only the origin could get the wrong one.
 *
 * @param paths Every path at which the metadata of the policy is served.
 * @returns The endpoint for each path.
 */
export function shareRoot(policy: ResolvedAuth, documents: RootDocuments, paths: readonly string[]): RootDocuments {
  const { resource, logger } = policy;
  if (resource === undefined) return documents;
  const { origin, href } = resource;
  const name = withoutClosingSlash(origin + resource.pathname);
  const entry: Entry = { href, resource: name, documents, paths, priorityAt: priorityOf(policy, documents) };
  const others = entriesOf(origin);
  entryOfPolicy.set(policy, entry);
  rejoinRoot(policy);
  warnOfSharedPath(entry, others, logger);
  const [path = ''] = ROOT_PATHS;
  const isNew = others.every((other) => other.resource !== name);
  if (isNew && ownerOf(origin, path) === undefined) {
    const hrefs = [...new Set([...others.map((other) => other.href), href])].join(', ');
    logger.info(`${origin} has several resources (${hrefs}): ${path} answers 404, as it can describe only one`);
  }
  const answer = (path: string): Middleware => {
    const notFound = path === ROOT_REGISTRATION_PATH ? replyNoRegistration : replyNoDocument;
    // If two policies have the same resource, each serves its own documents.
    return (req, res, next) => {
      const owner = ownerOf(origin, path);
      const { documents } = owner?.resource === name ? entry : (owner ?? NO_DOCUMENTS);
      (documents.get(path) ?? notFound)(req, res, next);
    };
  };
  return new Map([...documents.keys()].map((path) => [path, answer(path)]));
}

/** In one app, the middleware that is mounted first answers for both. Paths of the root are left out: {@link shareRoot} decides about them. */
function warnOfSharedPath(entry: Entry, others: readonly Entry[], logger: Logger): void {
  for (const other of others) {
    const path = entry.paths.find((each) => other.paths.includes(each) && !ROOT_PATHS.includes(each));
    if (other.resource === entry.resource || path === undefined) continue;
    logger.warn(
      `${other.href} and ${entry.href} have their metadata at one path (${path}): clients of one get that of the other if one app serves both. ` +
        'Give each resource a resourceMetadata.url whose path differs after "/.well-known/"',
    );
  }
}

const entryOfPolicy = new WeakMap<ResolvedAuth, Entry>();

/** Undoes {@link shareRoot} for a policy that is no longer served, without waiting for the garbage collector. */
export function leaveRoot(policy: ResolvedAuth): void {
  const origin = policy.resource?.origin ?? '';
  const others = (entriesByOrigin.get(origin) ?? []).filter((each) => each.deref() !== entryOfPolicy.get(policy));
  if (others.length === 0) entriesByOrigin.delete(origin);
  else entriesByOrigin.set(origin, others);
}

/** Undoes {@link leaveRoot}. */
export function rejoinRoot(policy: ResolvedAuth): void {
  const entry = entryOfPolicy.get(policy);
  if (entry === undefined || policy.resource === undefined) return;
  const others = entriesOf(policy.resource.origin).filter((other) => other !== entry);
  entriesByOrigin.set(
    policy.resource.origin,
    [...others, entry].map((each) => new WeakRef(each)),
  );
}

const NO_DOCUMENTS = { documents: new Map<string, Middleware>() };

/**
 * The standards put the documents of a resource that is the origin itself at the root: priority 2. For the authorization
 * server of the origin, the policy with `legacyEndpoints` comes next: priority 1.
 */
function priorityOf({ resource, oauthProxy }: ResolvedAuth, documents: RootDocuments): Entry['priorityAt'] {
  return (path) => {
    if (!documents.has(path)) return 0;
    if (resource?.pathname === '/') return 2;
    return SERVER_PATHS.includes(path) && oauthProxy?.legacyEndpoints === true ? 1 : 0;
  };
}

function entriesOf(origin: string): readonly Entry[] {
  return (entriesByOrigin.get(origin) ?? []).flatMap((each) => each.deref() ?? []);
}

/** Returns the policy whose document a path of the origin serves. */
function ownerOf(origin: string, path: string): Entry | undefined {
  const all = entriesOf(origin);
  const owner = [2, 1].flatMap((priority) => all.find((entry) => entry.priorityAt(path) === priority) ?? [])[0];
  if (owner !== undefined) return owner;
  const [first, ...others] = all;
  return others.every(({ resource }) => resource === first?.resource) ? first : undefined;
}

const replyNotFound: Middleware = (_req, res) => {
  const description = 'This origin has several resources: look for the metadata of one at its own path';
  replyJson(res, 404, JSON.stringify({ error: 'not_found', error_description: description }));
};
const replyNoDocument = forEveryOrigin(METADATA_METHODS, replyNotFound);
const replyNoRegistration = forEveryOrigin(OAUTH_PROXY_METHODS.registration, replyNotFound);
