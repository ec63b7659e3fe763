import { type OAuthProxyPaths, oauthProxyPaths, pathPrefixOf } from '../oauth/well-known.js';
import type { OptionChecks } from '../options/checks.js';
import {
  asGiven,
  flag,
  group,
  type OptionTable,
  optional,
  type ResolvedOptions,
  readOptions,
} from '../options/option-table.js';
import { membersOf, TEXT, TEXTS } from '../options/value-type.js';
import type { Provider } from '../providers/provider.js';
import type { OAuthProxyOptions } from './oauth-proxy-options.js';
import { refuseUnknownClients, refuseUnusedSwitches } from './refuse-switches.js';
import { CLIENT_DOCUMENTS_TABLE } from './resolve-client-documents.js';
import type { StaticClient, TrustedIssuer } from './resolve-issuer.js';
import { PROXY_CLIENTS_ROW } from './resolve-proxy-clients.js';
import { RESOURCE_FIX, type ResourceIdentity } from './resolve-resource.js';
import type { ResolvedSenderConstraint } from './resolve-sender-constraint.js';
import { resolveSecrets, SECRETS } from './secrets.js';
import { requireServerUrl } from './server-url.js';

const CLIENT_DOCUMENTS_ROW = {
  default: {},
  type: membersOf('clientDocuments', CLIENT_DOCUMENTS_TABLE),
  read: group(CLIENT_DOCUMENTS_TABLE, 'Write { enabled: false }, or { allow: ["https://claude.ai/*"] }.'),
};

export const OAUTH_PROXY_TABLE = {
  secret: { type: SECRETS, read: resolveSecrets },
  legacyEndpoints: flag(false),
  metadataUrl: { type: TEXT, read: asGiven },
  allowedRedirectUris: { type: TEXTS, read: optional(requireRedirectUris) },
  clientDocuments: CLIENT_DOCUMENTS_ROW,
  clients: PROXY_CLIENTS_ROW,
  registration: flag(true),
} satisfies OptionTable<OAuthProxyOptions>;

/** The resolved OAuth proxy of one issuer. Without `allowedRedirectUris`, every acceptable redirect URI is allowed. */
export interface ResolvedOAuthProxy extends Omit<ResolvedOptions<typeof OAUTH_PROXY_TABLE>, 'secret' | 'metadataUrl'> {
  readonly resource: ResourceIdentity;
  readonly paths: OAuthProxyPaths;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly provider: Provider;
  /** The scopes that the resource announces, in its metadata and in challenges. */
  readonly scopes: readonly string[];
  readonly client: StaticClient | undefined;
  /** The URLs to try, in this order. */
  readonly metadataUrls: readonly URL[];
  /** The `issuer` that the metadata must name. */
  readonly metadataIssuer: string;
  /** If empty, a random secret is generated. */
  readonly secrets: readonly string[];
  readonly allowHttp: boolean;
}

/** The rest of the policy, which the OAuth proxy depends on. */
export interface RestOfPolicy {
  readonly issuers: readonly TrustedIssuer[];
  readonly resource: ResourceIdentity | undefined;
  /** The URL of the resource metadata in challenges, if one is given. */
  readonly metadataUrl: string | undefined;
  readonly metadataMembers: Readonly<Record<string, unknown>> & { readonly scopesSupported?: readonly string[] };
  /** The scopes that challenges name. */
  readonly neededScopes: readonly string[];
  readonly allowHttp: boolean;
  readonly dpop: ResolvedSenderConstraint['dpop'];
}

/** Resolves the OAuth proxy of the first issuer that has a provider; undefined if none has one, or `oauthProxy` is false. */
export function resolveOAuthProxy(
  checks: OptionChecks,
  given: unknown,
  context: RestOfPolicy,
): ResolvedOAuthProxy | undefined {
  const trusted = context.issuers.find(({ provider }) => provider !== undefined);
  refuseUnusedClients(checks, context, given === false ? undefined : trusted);
  refuseUnusedSwitches(checks, context.issuers, given === false ? undefined : trusted);
  if (given === false) return undefined;
  const fix = 'Write { secret: … }, or false to show clients the issuer itself.';
  const options = given === undefined ? {} : checks.recordWithSecret(given, 'oauthProxy', fix);
  if (trusted?.provider === undefined) {
    if (given !== undefined)
      checks.refuse('provider', 'given together with "oauthProxy"', undefined, 'Write "keycloak", or another kind.');
    return undefined;
  }
  const { secret, metadataUrl, ...simple } = readOptions(checks, OAUTH_PROXY_TABLE, options, 'oauthProxy');
  requireRegistration(checks, trusted, simple);
  refuseUnknownClients(checks, trusted);
  refuseProofs(checks, context);
  const resource = requireKnownResource(checks, context);
  return Object.freeze({
    ...simple,
    resource,
    paths: pathsAt(resource, simple.legacyEndpoints, context.metadataUrl),
    issuer: trusted.issuer,
    audiences: trusted.audiences,
    provider: trusted.provider,
    scopes: Object.freeze([...new Set([...(context.metadataMembers.scopesSupported ?? []), ...context.neededScopes])]),
    client: trusted.client,
    ...resolveMetadata(checks, metadataUrl, trusted, context.allowHttp),
    secrets: secret,
    allowHttp: context.allowHttp,
  });
}

/** Only the client of the OAuth proxy's issuer is used for logins. Other issuers may have the same one: two names of one server. */
function refuseUnusedClients(
  checks: OptionChecks,
  { issuers }: RestOfPolicy,
  trusted: TrustedIssuer | undefined,
): void {
  if (issuers.every(({ client }) => client === undefined || client.id === trusted?.client?.id)) return;
  const expected = 'given only for the first issuer with a provider: clients log in there, through the OAuth proxy';
  checks.refuseUnquoted(
    'clientId',
    expected,
    'Remove it from the other issuers; if oauthProxy is false, from all of them.',
  );
}

/** Refuses a policy with which some clients, or all, could never log in. */
function requireRegistration(
  checks: OptionChecks,
  { provider, client }: TrustedIssuer,
  { clients, clientDocuments, registration }: Pick<ResolvedOAuthProxy, 'clients' | 'clientDocuments' | 'registration'>,
): void {
  if (!registration && clients.size === 0 && !clientDocuments.enabled) {
    const expected =
      'true where clientDocuments.enabled is false and "clients" is empty, since no client could get an id';
    checks.refuse('oauthProxy.registration', expected, false, 'Give clients an id in oauthProxy.clients.');
  }
  if (clients.size > 0 && client === undefined && provider?.registration?.needsCredentials) {
    const expected =
      'given together with oauthProxy.clients, since this provider registers no client without credentials';
    checks.refuse('clientId', expected, undefined, 'Register a client there by hand, and give its id.');
  }
  if (provider?.registration === undefined && client === undefined) {
    const expected = 'given, since clients cannot register themselves at this provider';
    checks.refuse('clientId', expected, undefined, 'Register a client there by hand, and give its id.');
  }
}

/** RFC 9449, section 4.2: a proof names the URL it is for. Clients would name the OAuth proxy, and the issuer would refuse that. */
function refuseProofs(checks: OptionChecks, { dpop }: RestOfPolicy): void {
  if (dpop !== 'require') return;
  const expected = 'false where "provider" is given, since no proof passes through the OAuth proxy';
  const fix = 'Set oauthProxy to false, so that clients log in at the issuer itself.';
  checks.refuse('senderConstraint.dpop.required', expected, true, fix);
}

/** The resource is the issuer of the OAuth proxy, so it must be configured. */
function requireKnownResource(checks: OptionChecks, { resource, metadataMembers }: RestOfPolicy): ResourceIdentity {
  if (metadataMembers.authorizationServers !== undefined) {
    const expected = 'left out where "provider" is given: its OAuth proxy is the authorization server that clients see';
    const fix = 'Remove it, or set oauthProxy to false.';
    checks.refuse('resourceMetadata.authorizationServers', expected, metadataMembers.authorizationServers, fix);
  }
  if (resource?.tenants !== undefined) {
    const expected = 'without {tenant} where "provider" is given, since the OAuth proxy is one authorization server';
    const fix =
      'Set oauthProxy to false, so that clients log in at the issuer itself, or write one policy for each tenant.';
    checks.refuse('resourceMetadata.resource', expected, resource.href, fix);
  }
  if (resource !== undefined) return resource;
  return checks.refuse('resourceMetadata.resource', 'given together with "provider"', undefined, RESOURCE_FIX);
}

function pathsAt(resource: ResourceIdentity, legacyEndpoints: boolean, url: string | undefined): OAuthProxyPaths {
  return oauthProxyPaths({ resourcePath: resource.pathname, legacyEndpoints, prefix: pathPrefixOf(resource, url) });
}

function resolveMetadata(checks: OptionChecks, metadataUrl: unknown, trusted: TrustedIssuer, allowHttp: boolean) {
  const { issuer, provider } = trusted;
  requireServerUrl(checks, issuer, 'issuer', allowHttp);
  const { metadataUrls, metadataIssuer } = provider as Provider;
  const urls =
    metadataUrl === undefined
      ? [...new Set(metadataUrls(issuer))].map((url) => new URL(url))
      : [requireServerUrl(checks, metadataUrl, 'oauthProxy.metadataUrl', allowHttp)];
  return { metadataUrls: Object.freeze(urls), metadataIssuer: metadataIssuer(issuer) };
}

function requireRedirectUris(checks: OptionChecks, given: unknown, option: string): readonly string[] {
  const fix = 'Write whole redirect URIs, or "https://host/*".';
  const list = checks.strings(given, option, fix);
  // No `*` below a longer path: `..` would lead out of it.
  const isUri = (uri: string) =>
    URL.canParse(uri) && /^[\x21-\x7e]+$/.test(uri) && !/[#*]/.test(uri.replace(/^(https:\/\/[^/?#*@]+\/)\*$/, '$1'));
  if (list.length > 0 && list.every(isUri)) return list;
  const expected = 'an array of redirect URIs, with "*" only as the whole path of an https one';
  return checks.refuse(option, expected, given, fix);
}
