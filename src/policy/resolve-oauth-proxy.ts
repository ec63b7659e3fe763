import { isAcceptableRedirectUri } from '../oauth/acceptable-redirect-uri.js';
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
import { membersOf, SECRETS, TEXT, TEXTS } from '../options/value-type.js';
import type { Provider } from '../providers/provider.js';
import type { OAuthProxyOptions } from './oauth-proxy-options.js';
import { refuseImpossibleLogins } from './refuse-impossible-logins.js';
import { refuseUnusedOptions } from './refuse-unused-options.js';
import { CLIENT_DOCUMENTS_TABLE, refuseSkipsNotAllowed } from './resolve-client-documents.js';
import type { ResolvedIdentity } from './resolve-identity.js';
import type { StaticClient, TrustedIssuer } from './resolve-issuer.js';
import { NOT_RELAYED, type ResolvedIssuing, refuseForIssuing, resolveIssuing } from './resolve-issuing.js';
import { PROXY_CLIENTS_ROW } from './resolve-proxy-clients.js';
import { RESOURCE_FIX, type ResourceIdentity } from './resolve-resource.js';
import type { ResolvedSenderConstraint } from './resolve-sender-constraint.js';
import { resolveSecrets, SECRET_FIX } from './secrets.js';
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
  /** The scopes of a login whose client names none of the resource. Empty if this server issues the tokens, and no server is asked for them. */
  readonly defaultScopes: readonly string[];
  readonly client: StaticClient | undefined;
  /** The URLs to try, in this order. */
  readonly metadataUrls: readonly URL[];
  /** The `issuer` that the metadata must name. */
  readonly metadataIssuer: string;
  /** If empty, a random secret is generated. */
  readonly secrets: readonly string[];
  readonly allowHttp: boolean;
  /** Defined if users log in at an identity provider, and this server issues the tokens. */
  readonly issuing: ResolvedIssuing | undefined;
}

/** The rest of the policy, which the OAuth proxy depends on. */
export interface RestOfPolicy {
  readonly issuers: readonly TrustedIssuer[];
  readonly identity: ResolvedIdentity | undefined;
  readonly resource: ResourceIdentity | undefined;
  /** The URL of the resource metadata in challenges, if one is given. */
  readonly metadataUrl: string | undefined;
  readonly metadataMembers: Readonly<Record<string, unknown>> & { readonly scopesSupported?: readonly string[] };
  /** The scopes that challenges name. */
  readonly neededScopes: readonly string[];
  readonly allowHttp: boolean;
  readonly dpop: ResolvedSenderConstraint['dpop'];
  /** Every token must be bound to a certificate of the client (RFC 8705). */
  readonly requiresCertificate: boolean;
}

/**
 * Resolves the OAuth proxy of the identity provider, else of the first issuer that has a provider. Undefined if there is none, or
 * `oauthProxy` is false.
 */
export function resolveOAuthProxy(
  checks: OptionChecks,
  given: unknown,
  context: RestOfPolicy,
): ResolvedOAuthProxy | undefined {
  const { identity } = context;
  const trusted = context.issuers.find(({ provider }) => provider !== undefined);
  const isOff = given === false;
  refuseUnusedOptions(checks, context.issuers, {
    trusted: isOff || identity !== undefined ? undefined : trusted,
    isOff,
  });
  if (identity !== undefined) return resolveIssuingProxy(checks, given, context, identity);
  if (isOff) return undefined;
  const fix = 'Write { secret: … }, or false to show clients the issuer itself.';
  const options = given === undefined ? {} : checks.recordWithSecret(given, 'oauthProxy', fix);
  if (trusted?.provider === undefined) {
    if (given !== undefined)
      checks.refuse('provider', 'given together with "oauthProxy"', undefined, 'Write "keycloak", or another kind.');
    return undefined;
  }
  const { secret, metadataUrl, ...simple } = readOptions(checks, OAUTH_PROXY_TABLE, options, 'oauthProxy');
  refuseImpossibleLogins(checks, trusted, { ...simple, dpop: context.dpop });
  refuseSkipsNotAllowed(checks, simple.clientDocuments);
  const resource = requireKnownResource(checks, context);
  return Object.freeze({
    ...simple,
    resource,
    paths: pathsAt(resource, simple.legacyEndpoints, context.metadataUrl),
    issuer: trusted.issuer,
    audiences: trusted.audiences,
    provider: trusted.provider,
    scopes: scopesOf(context),
    defaultScopes: defaultScopesOf(context),
    client: trusted.client,
    ...resolveMetadata(checks, metadataUrl, trusted, context.allowHttp),
    secrets: secret,
    allowHttp: context.allowHttp,
    issuing: undefined,
  });
}

/** The OAuth proxy of an identity provider: everything about that server is known, so no metadata is fetched. */
function resolveIssuingProxy(
  checks: OptionChecks,
  given: unknown,
  context: RestOfPolicy,
  identity: ResolvedIdentity,
): ResolvedOAuthProxy {
  const { secret, metadataUrl, ...simple } = readOptions(
    checks,
    OAUTH_PROXY_TABLE,
    checks.recordWithSecret(given ?? {}, 'oauthProxy', `Write { secret: … }. ${SECRET_FIX}`),
    'oauthProxy',
  );
  refuseForIssuing(checks, { ...context, secret, metadataUrl, identity });
  const issuer = { client: identity.client, provider: NOT_RELAYED, audienceClaim: 'aud' };
  refuseImpossibleLogins(checks, issuer, { ...simple, dpop: context.dpop });
  refuseSkipsNotAllowed(checks, simple.clientDocuments);
  const resource = requireKnownResource(checks, context);
  return Object.freeze({
    ...simple,
    resource,
    paths: pathsAt(resource, simple.legacyEndpoints, context.metadataUrl),
    issuer: identity.provider.issuer,
    audiences: Object.freeze([]),
    provider: NOT_RELAYED,
    scopes: scopesOf(context),
    defaultScopes: Object.freeze([]),
    client: identity.client,
    metadataUrls: Object.freeze([]),
    metadataIssuer: identity.provider.issuer,
    secrets: secret,
    allowHttp: context.allowHttp,
    issuing: resolveIssuing(identity, { secrets: secret, resource: resource.href }),
  });
}

/** All scopes that this server can grant. */
function scopesOf({ metadataMembers, neededScopes }: RestOfPolicy): readonly string[] {
  return Object.freeze([...new Set([...(metadataMembers.scopesSupported ?? []), ...neededScopes])]);
}

/** The scopes that a client must choose by the MCP specification: those of challenges, else all that the metadata announces. */
function defaultScopesOf({ metadataMembers, neededScopes }: RestOfPolicy): readonly string[] {
  const { scopesSupported = [] } = metadataMembers;
  if (neededScopes.length === 0) return scopesSupported;
  // Clients add it by themselves if it is announced.
  const offline = scopesSupported.filter((scope) => scope === 'offline_access');
  return Object.freeze([...new Set([...neededScopes, ...offline])]);
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
  const withoutStar = (uri: string) => uri.replace(/^(https:\/\/[^/?#*@]+\/)\*$/, '$1');
  const isUri = (uri: string) => !uri.includes('*') && isAcceptableRedirectUri(uri);
  if (list.length > 0 && list.map(withoutStar).every(isUri)) return list;
  const expected =
    'an array of redirect URIs that clients may have, with "*" only as the whole path of an https one and http only on loopback';
  return checks.refuse(option, expected, given, fix);
}
