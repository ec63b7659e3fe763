import { isEmptyKeySet } from '../oauth/well-known.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { CallError } from '../upstream/call-server.js';
import { findKeySet, type KeySetSearch } from '../upstream/find-key-set.js';
import { assumePolicy, type SeenPolicy } from './assumed-policy.js';
import { readServerDocuments } from './authorization-server.js';
import { checkCrossOrigin } from './cross-origin.js';
import { type Finding, type Reader, type ReportedFinding, reporterFor, reportTo } from './finding.js';
import { checkClosingSlash, firstRequest } from './first-request.js';
import { createProbe, isHttpUrl, isPrivate, type Probe } from './probe.js';
import { readPublishedKeys, unknownKeySet } from './published-keys.js';
import { parameterOf } from './read-challenge.js';
import { createJsonReport, createTextReport, type Screen } from './report.js';
import { checkScopes, type ResourceDocuments, readResourceDocuments } from './resource-documents.js';
import { checkToken } from './token-check.js';

/** One server to check. */
export interface DoctorTarget {
  readonly url: string;
  /** A token to explain. */
  readonly token?: string | undefined;
  /** Its policy, if known: metadata does not always say which tokens a server accepts. */
  readonly policy?: ResolvedAuth | undefined;
  /** The secrets of the policy that cannot be read: where they are, and why. The policy has others in their place. */
  readonly unread?: readonly string[] | undefined;
  /** For whom the advice is. @default 'file' with a policy, else 'code' */
  readonly reader?: Reader | undefined;
}

const PLAIN = reporterFor('transport').warning(
  'plain http',
  'Anyone on the network path can read the tokens, and many clients refuse plain http.',
  'Serve it over https.',
);

/** Authorization servers of one resource that are checked. */
const MAX_SERVERS = 5;

/** Checks one server step by step, as a client would log in, and yields each finding at once. */
export async function* diagnose(target: DoctorTarget, probe: Probe): AsyncGenerator<ReportedFinding> {
  const report = reportTo(target.reader ?? (target.policy === undefined ? 'code' : 'file'), target.token);
  for await (const finding of findingsOf(target, probe)) yield report(finding);
}

async function* findingsOf({ url, token, policy, unread }: DoctorTarget, probe: Probe): AsyncGenerator<Finding> {
  const first = await firstRequest(probe, url, policy);
  yield* first.findings;
  if (!first.isThere) return;
  if (!isPrivate(url)) yield PLAIN;
  const scope = parameterOf(first.challenge, 'scope') ?? '';
  const scopes = scope.split(' ').filter((each) => each !== '');
  const resource = await readResourceDocuments(probe, url, first.metadataUrl);
  yield* resource.findings;
  const { metadata = {} } = resource;
  const seen = yield* readServers(probe, { resource, scopes, policy });
  const documents = [...(resource.metadata === undefined ? [] : [resource.url]), ...seen.documents];
  yield* await checkCrossOrigin(probe, { url, documents, isOpen: first.isOpen });
  if (!first.isOpen) yield await checkClosingSlash(probe, url, policy);
  if (token === undefined) return;
  const named = typeof metadata.resource === 'string' ? metadata.resource : url;
  const assumed = assumePolicy({ servers: seen.servers, resource: named, scopes, metadata });
  yield* await checkToken(probe, {
    url,
    token,
    policy: policy ?? assumed,
    isAssumed: policy === undefined,
    keyUrls: seen.keyUrls,
    unread,
  });
}

interface ServersToRead {
  readonly resource: ResourceDocuments;
  readonly scopes: readonly string[];
  readonly policy: ResolvedAuth | undefined;
}

/** Checks each authorization server, and the keys that verify its tokens. */
async function* readServers(probe: Probe, { resource, scopes, policy }: ServersToRead) {
  const issuers = resource.authorizationServers;
  if (issuers.length > MAX_SERVERS) yield tooManyServers(issuers.length);
  const servers: SeenPolicy['servers'][number][] = [];
  const documents: string[] = [];
  const keyUrls: string[] = [];
  for (const [i, issuer] of issuers.slice(0, MAX_SERVERS).entries()) {
    const server = await readServerDocuments(probe, issuer, typedInAt(issuer, policy), resource.metadata?.resource);
    yield* server.findings;
    if (server.url !== undefined) documents.push(server.url);
    const named = server.metadata?.jwks_uri;
    const jwksUri = typeof named === 'string' && isEmptyKeySet(named) ? undefined : named;
    if (typeof jwksUri === 'string' && isHttpUrl(jwksUri)) keyUrls.push(jwksUri);
    const keys =
      policy === undefined && typeof jwksUri === 'string' ? await readPublishedKeys(probe, jwksUri) : undefined;
    if (keys !== undefined) yield keys.finding;
    servers.push({ issuer, jwks: keys?.jwks });
    if (i === 0 && resource.metadata !== undefined) yield checkScopes(scopes, resource.metadata, server.metadata);
  }
  // With a policy, its key sets are in use, not those of the metadata.
  for (const source of keySourcesOf(policy)) yield await checkKeySource(probe, source, keyUrls);
  return { servers, documents, keyUrls };
}

/** The number of client ids that a known policy has for typing in, if its OAuth proxy is this authorization server. */
function typedInAt(issuer: string, policy: ResolvedAuth | undefined): number | undefined {
  const proxy = policy?.oauthProxy;
  return proxy?.resource.href === issuer ? proxy.clients.size : undefined;
}

function tooManyServers(count: number): Finding {
  return reporterFor('authorization servers').warning(
    `${count} are listed; the doctor checks the first ${MAX_SERVERS}`,
    'Clients use one of them, usually the first.',
    'List only those where clients should log in.',
  );
}

/** The key sets of a policy that are fetched: their URLs, or the search that finds them. */
function keySourcesOf(policy: ResolvedAuth | undefined): readonly (string | KeySetSearch)[] {
  const sources = (policy?.issuers ?? []).map(({ jwksSource }) => jwksSource);
  const fetched = sources.flatMap((source): (string | KeySetSearch)[] => {
    if (source.kind === 'url') return [source.url.href];
    return source.kind === 'discovered' ? [source.search] : [];
  });
  return [...new Set(fetched)].slice(0, MAX_SERVERS);
}

/** Checks one key set, at the place where `mcpAuth()` finds it. */
async function checkKeySource(
  probe: Probe,
  source: string | KeySetSearch,
  announced: readonly string[],
): Promise<Finding> {
  if (typeof source === 'string') return (await readPublishedKeys(probe, source, announced)).finding;
  try {
    const { document } = await findKeySet(source);
    return (await readPublishedKeys(probe, document.url.href, announced)).finding;
  } catch (error) {
    if (error instanceof CallError) return unknownKeySet(source.issuer, error);
    throw error;
  }
}

/** The URLs in the user's own file, which may be on any network. */
function namedBy(policy: ResolvedAuth | undefined): string[] {
  const issuers = (policy?.issuers ?? []).map(({ issuer }) => issuer);
  const keyUrls = keySourcesOf(policy).filter((source) => typeof source === 'string');
  return [...issuers, ...keyUrls].filter((url) => isHttpUrl(url));
}

export interface DoctorOptions {
  readonly targets: readonly DoctorTarget[];
  readonly json: boolean;
}

/** Checks one server after the other, and reports. Resolves to true if none of them has a fault. */
export async function runDoctor({ targets, json }: DoctorOptions, screen: Screen): Promise<boolean> {
  const report = json ? createJsonReport(screen) : createTextReport(screen);
  let isHealthy = true;
  for (const target of targets) {
    report.begin(target.url);
    for await (const finding of findingsFor(target)) {
      report.add(finding);
      if (finding.status === 'fault') isHealthy = false;
    }
  }
  report.end();
  return isHealthy;
}

/** Yields the findings of a target. */
export function findingsFor(target: DoctorTarget): AsyncGenerator<ReportedFinding> {
  return diagnose(target, createProbe(target.url, { named: namedBy(target.policy) }));
}
