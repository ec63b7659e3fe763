import type { OptionChecks } from '../options/checks.js';
import {
  asGiven,
  flag,
  type OptionTable,
  optional,
  type ResolvedOptions,
  readOptions,
} from '../options/option-table.js';
import type { Provider } from '../providers/provider.js';
import type { OAuthProxyOptions } from './oauth-proxy-options.js';
import type { StaticClient, TrustedIssuer } from './resolve-issuer.js';
import { RESOURCE_FIX, type ResourceIdentity } from './resolve-resource.js';
import { resolveSecrets } from './secrets.js';
import { requireServerUrl } from './server-url.js';

export const OAUTH_PROXY_TABLE = {
  secret: { read: resolveSecrets },
  legacyEndpoints: flag(false),
  metadataUrl: { read: asGiven },
  allowedRedirectUris: { read: optional(requireRedirectUris) },
} satisfies OptionTable<OAuthProxyOptions>;

/** Our side of a peculiar authorization server. Without `allowedRedirectUris`, every acceptable redirect URI is allowed. */
export interface ResolvedOAuthProxy extends Omit<ResolvedOptions<typeof OAUTH_PROXY_TABLE>, 'secret' | 'metadataUrl'> {
  readonly resource: ResourceIdentity;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly provider: Provider;
  /** Those that the resource announces. */
  readonly scopes: readonly string[];
  readonly client: StaticClient | undefined;
  /** In the order in which they are tried. */
  readonly metadataUrls: readonly URL[];
  /** What the metadata must name. */
  readonly metadataIssuer: string;
  /** Empty: a random one is made. */
  readonly secrets: readonly string[];
  readonly allowHttp: boolean;
}

/** What the rest of the policy says. */
export interface RestOfPolicy {
  readonly issuers: readonly TrustedIssuer[];
  readonly resource: ResourceIdentity | undefined;
  readonly metadataMembers: Readonly<Record<string, unknown>> & { readonly scopesSupported?: readonly string[] };
  readonly allowHttp: boolean;
  /** Every token must be bound to a key of the client (RFC 9449). */
  readonly requiresProof: boolean;
}

/** The OAuth proxy of the first issuer that has a provider; undefined where none has one, or none is wanted. */
export function resolveOAuthProxy(
  checks: OptionChecks,
  given: unknown,
  context: RestOfPolicy,
): ResolvedOAuthProxy | undefined {
  const trusted = context.issuers.find(({ provider }) => provider !== undefined);
  refuseIdleClients(checks, context, given === false ? undefined : trusted);
  if (given === false) return undefined;
  const fix = 'Write { secret: … }, or false to show clients the issuer itself.';
  const options = given === undefined ? {} : checks.record(given, 'oauthProxy', fix);
  if (trusted?.provider === undefined) {
    if (given !== undefined)
      checks.refuse('provider', 'given beside "oauthProxy"', undefined, 'Write { keycloak: {} }.');
    return undefined;
  }
  const { secret, metadataUrl, ...simple } = readOptions(checks, OAUTH_PROXY_TABLE, options, 'oauthProxy');
  requireRegistration(checks, trusted);
  refuseProofs(checks, context);
  return Object.freeze({
    ...simple,
    resource: requireKnownResource(checks, context),
    issuer: trusted.issuer,
    audiences: trusted.audiences,
    provider: trusted.provider,
    scopes: Object.freeze([...(context.metadataMembers.scopesSupported ?? [])]),
    client: trusted.client,
    ...resolveMetadata(checks, metadataUrl, trusted, context.allowHttp),
    secrets: secret,
    allowHttp: context.allowHttp,
  });
}

/** Another client than the OAuth proxy's is one that nobody would log in with. Two names of one server may share theirs. */
function refuseIdleClients(checks: OptionChecks, { issuers }: RestOfPolicy, trusted: TrustedIssuer | undefined): void {
  if (issuers.every(({ client }) => client === undefined || client.id === trusted?.client?.id)) return;
  const expected = 'given for the one issuer that clients log in at through the OAuth proxy: the first with a provider';
  checks.refuseUnquoted('clientId', expected, 'Remove the others; with oauthProxy false, all of them.');
}

function requireRegistration(checks: OptionChecks, { provider, client }: TrustedIssuer): void {
  if (provider?.registration === undefined && client === undefined) {
    const expected = 'given, since clients cannot register themselves at this provider';
    checks.refuse('clientId', expected, undefined, 'Register a client there by hand, and give its id.');
  }
}

/** RFC 9449, section 4.2: a proof names the URL it is for, and ours is not that of the server which would bind the token. */
function refuseProofs(checks: OptionChecks, { requiresProof }: RestOfPolicy): void {
  if (!requiresProof) return;
  const expected = '"off" or "accept" beside "provider", since no proof passes through the OAuth proxy';
  checks.refuse('dpop', expected, 'require', 'Set oauthProxy to false, so that clients log in at the issuer itself.');
}

/** The resource is our issuer, so it must be known before any request comes. */
function requireKnownResource(checks: OptionChecks, { resource, metadataMembers }: RestOfPolicy): ResourceIdentity {
  if (metadataMembers.authorizationServers !== undefined) {
    const expected = 'left out beside "provider", whose OAuth proxy is the authorization server that clients see';
    const fix = 'Remove it, or set oauthProxy to false.';
    checks.refuse('resourceMetadata.authorizationServers', expected, metadataMembers.authorizationServers, fix);
  }
  if (resource !== undefined) return resource;
  return checks.refuse('resourceMetadata.resource', 'given beside "provider"', undefined, RESOURCE_FIX);
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
  // Beneath a path, `..` would lead out of it again.
  const isUri = (uri: string) =>
    URL.canParse(uri) && /^[\x21-\x7e]+$/.test(uri) && !/[#*]/.test(uri.replace(/^(https:\/\/[^/?#*@]+\/)\*$/, '$1'));
  if (list.length > 0 && list.every(isUri)) return list;
  const expected = 'an array of redirect URIs, with "*" only as the whole path of an https one';
  return checks.refuse(option, expected, given, fix);
}
