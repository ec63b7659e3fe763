import { ConfigError } from '../core/errors.js';
import { canParseUrl } from '../http/can-parse-url.js';
import { stringsIn } from '../http/json-object.js';
import { withoutClosingSlash } from '../http/well-known.js';
import { pathPrefixOf, resourceMetadataPath } from '../oauth/well-known.js';
import { createChecks } from '../options/checks.js';
import { requireResource } from '../policy/resolve-resource.js';
import { FetchError } from '../upstream/bounded-fetch.js';
import { type Finding, type Fix, reporterFor } from './finding.js';
import { fetchErrorOf, type Probe, type ProbeResponse } from './probe.js';
import { shown } from './shown.js';
import { contentOf, explainConnection } from './unexpected-answer.js';

/** The protected resource metadata (RFC 9728) of a server, with findings. */
export interface ResourceDocuments {
  readonly findings: readonly Finding[];
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  /** The URL of the document. */
  readonly url: string;
  readonly authorizationServers: readonly string[];
}

const MOUNT: Fix = {
  code: 'Mount protectedResourceMetadata(policy) at the root of the app.',
  file: 'Check that requests for this path reach the gateway, which answers them.',
};
const WITHOUT_TOKEN: Fix = {
  code: 'Serve it without a token: mount protectedResourceMetadata(policy) before the middleware that asks for one.',
  file: 'Find out what asks for a token before the gateway, which serves it without one.',
};

/** The advice for a document that is somewhere else. */
export const NO_REDIRECT =
  'Serve the document at this URL itself: the doctor follows no redirect, and not every client does.';

/** The advice for a URL at the root of a host of which the challenge says that this server has only a part. */
const NOT_OURS = 'Nothing to do if another server has the root of this host. Otherwise remove resourceMetadata.url.';

/** The advice for a URL that does not answer with the document. */
function fixFor(answer: ProbeResponse | FetchError): Fix {
  if (answer instanceof FetchError) return explainConnection(answer).fix;
  if (answer.status >= 300 && answer.status < 400) return NO_REDIRECT;
  return answer.status === 401 || answer.status === 403 ? WITHOUT_TOKEN : MOUNT;
}

/** Reads the document at the URL of the challenge, or else at that of RFC 9728, and checks every well-known URL. */
export async function readResourceDocuments(
  probe: Probe,
  url: string,
  announcedAt: string | undefined,
): Promise<ResourceDocuments> {
  const { origin, pathname } = new URL(url);
  const standard = origin + resourceMetadataPath(pathname);
  const at = announcedAt ?? standard;
  const document = reporterFor('resource metadata');
  const answer = await probe(at).catch(fetchErrorOf);
  const problem = problemOf(answer);
  const metadata = problem === undefined ? (answer as ProbeResponse).json : undefined;
  const lost = 'No client can find out where to log in.';
  const findings = [
    problem === undefined ? document.ok(at) : document.fault(`${at}: ${problem}`, lost, fixFor(answer)),
  ];
  if (metadata !== undefined) findings.push(checkResource(url, metadata), ...checkMembers(metadata));
  const root = origin + resourceMetadataPath('/');
  const hasRoot = pathPrefixOf({ origin, pathname }, at) === '';
  for await (const finding of checkWellKnownUrls(probe, { at, standard, root, hasRoot })) findings.push(finding);
  return { findings, metadata, url: at, authorizationServers: stringsIn(metadata?.authorization_servers) };
}

function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, '');
}

/** True if a policy can have this URL as its resource. */
function isResource(url: string): boolean {
  try {
    requireResource(createChecks('doctor'), url, 'resource');
    return true;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

/** The reason why an answer is not a document; undefined if it is one. */
export function problemOf(answer: ProbeResponse | FetchError): string | undefined {
  if (answer instanceof FetchError) return `cannot be read: ${explainConnection(answer).seen}`;
  const { status, headers, json, isWhole } = answer;
  if (status >= 300 && status < 400) return `redirects to ${headers.get('location') ?? 'no address'}`;
  if (status !== 200) return `answers ${status}`;
  if (json !== undefined) return undefined;
  const wrong = headers.has('content-type') ? ' that is not a JSON object' : ', and not with a JSON object';
  return `answers 200 ${contentOf(answer)}${isWhole ? wrong : ''}`;
}

function checkResource(url: string, { resource }: Readonly<Record<string, unknown>>): Finding {
  const named = reporterFor('resource');
  const fix = isResource(url)
    ? `Set resourceMetadata.resource to ${JSON.stringify(url)}, exactly the address that clients are given.`
    : 'Give clients an address that can be a resource: in ASCII, without user name, query or fragment.';
  if (resource === url) return named.ok(url);
  const seen = `resource is ${shown(resource)}, but the address is ${JSON.stringify(url)}`;
  if (typeof resource === 'string' && withoutClosingSlash(resource) === withoutClosingSlash(withoutQuery(url))) {
    return named.warning(seen, 'VS Code and Claude Code compare them byte for byte.', fix);
  }
  return named.fault(seen, 'Clients must not use the metadata of another resource (RFC 9728, section 3.3).', fix);
}

function* checkMembers(metadata: Readonly<Record<string, unknown>>): Generator<Finding> {
  const servers = reporterFor('authorization servers');
  const named = stringsIn(metadata.authorization_servers);
  const fix = 'Set issuer, or resourceMetadata.authorizationServers.';
  yield named.length > 0
    ? servers.ok(named.join(', '))
    : servers.fault(withoutServers(metadata.authorization_servers), 'Clients do not know where to log in.', fix);
  const methods = metadata.bearer_methods_supported;
  if (methods !== undefined && !stringsIn(methods).includes('header')) {
    yield reporterFor('bearer methods').warning(
      `bearer_methods_supported is ${shown(methods)}`,
      'MCP clients send tokens in the header only.',
      "Set bearerMethodsSupported: ['header'].",
    );
  }
}

/** Says what stands in place of a list of authorization servers. */
function withoutServers(given: unknown): string {
  if (given === undefined) return 'none';
  if (Array.isArray(given) && given.length === 0) return 'authorization_servers is empty';
  return `authorization_servers is ${shown(given)}, not a list of URLs`;
}

/** Checks the well-known URLs, which clients use if they do not read the challenge. */
async function* checkWellKnownUrls(
  probe: Probe,
  { at, standard, root, hasRoot }: { at: string; standard: string; root: string; hasRoot: boolean },
): AsyncGenerator<Finding> {
  const forms = [
    [standard, 'well-known with path', 'Clients that do not read resource_metadata find nothing.'],
    [root, 'well-known at the root', 'Older clients, which look only there, find nothing.'],
  ] as const;
  const others = forms.slice(0, root === standard ? 1 : 2).filter(([address]) => address !== at);
  for (const [address, form, who] of others) {
    const answer = await probe(address).catch(fetchErrorOf);
    const problem = problemOf(answer);
    const report = reporterFor(form);
    const fix = hasRoot ? fixFor(answer) : NOT_OURS;
    yield problem === undefined ? report.ok(address) : report.warning(`${address} ${problem}`, who, fix);
  }
}

/** Compares the scopes of the challenge, of the metadata and of the authorization server. */
export function checkScopes(
  needed: readonly string[],
  resource: Readonly<Record<string, unknown>>,
  server: Readonly<Record<string, unknown>> | undefined,
): Finding {
  const report = reporterFor('scopes');
  const advertised = stringsIn(resource.scopes_supported);
  const named = [...new Set([...needed, ...advertised])];
  if (named.length === 0) {
    return report.warning(
      'none in the challenge, none advertised',
      'Clients ask for no scope, and some authorization servers then issue tokens without permissions.',
      'Set resourceMetadata.scopesSupported, and requiredScopes for those that every call needs.',
    );
  }
  const known = server?.scopes_supported === undefined ? undefined : stringsIn(server.scopes_supported);
  const unknown = named.filter((scope) => known?.includes(scope) === false);
  if (unknown.length > 0) {
    return report.warning(
      `the authorization server does not list ${unknown.join(', ')}`,
      'Clients ask for them, and may get the error invalid_scope.',
      'Register the scopes at the authorization server, or correct their names here.',
    );
  }
  const strict = needed.length > 0 ? undefined : serverWithStrictScopes(server?.issuer);
  if (strict !== undefined) {
    return report.warning(
      'the challenge names no scope, so clients such as Claude ask for every scope of the authorization server',
      `${strict} refuses clients that ask for scopes which are not theirs.`,
      "Set challengeScopes to 'supported', or to a list of scopes.",
    );
  }
  return report.ok(named.join(' '));
}

/** Authorization servers for which the first challenge must name scopes, by the hosts of their issuers. */
const STRICT_SCOPES = [{ name: 'Clerk', host: /(?:^|\.)clerk\./ }] as const;

function serverWithStrictScopes(issuer: unknown): string | undefined {
  if (typeof issuer !== 'string' || !canParseUrl(issuer)) return undefined;
  const { hostname } = new URL(issuer);
  return STRICT_SCOPES.find(({ host }) => host.test(hostname))?.name;
}
