import { type ExchangeRules, TOKEN_EXCHANGE } from './exchange-rules.js';
import { discoveryUrl, insertedMetadataUrl, type Provider, type Registration } from './provider.js';
import { type ProviderSwitches, type ResolvedSwitches, STANDARD_SWITCHES, type SwitchName } from './switches.js';

/** The differences of one kind of authorization server from a standard one: its switches, and what no switch can say. */
export interface ProviderKind {
  /** The switches that differ from {@link STANDARD_SWITCHES}. A policy may set them otherwise. */
  readonly switches: ProviderSwitches;
  /** The switches that a policy cannot set otherwise, with the reason. */
  readonly fixed?: Readonly<Partial<Record<SwitchName, string>>>;
  readonly jwksUrl?: (issuer: string) => string;
  /** The issuer of the metadata, if it is not that of the tokens. */
  readonly metadataIssuer?: (issuer: string) => string;
  /** The URL below which OpenID Connect Discovery is, if it is not the issuer. */
  readonly discoveryBase?: (issuer: string) => string;
  readonly registration?: Partial<Omit<Registration, 'members'>>;
  /** Returns one scope in the spelling of the server. */
  readonly upstreamScope?: (scope: string, audiences: readonly string[]) => string;
  /** The claim that names the audience where the server is told neither `resource` nor `audience`. Otherwise it is `aud`. */
  readonly audienceClaim?: 'client_id';
  /** True if `aud` is the client id where the server is told neither `resource` nor `audience`, so that the resource is never in it. */
  readonly clientIsAudience?: true;
  readonly audienceHint?: string;
  /** The way to exchange tokens, if it is not RFC 8693. */
  readonly exchange?: ExchangeRules;
}

/** Scopes of no resource. */
export const OPENID_SCOPES: readonly string[] = Object.freeze(['openid', 'profile', 'email', 'offline_access']);

/** Creates the provider of a kind, with the switches that a policy sets. */
export function createProvider(kind: ProviderKind, given: ProviderSwitches = {}): Provider {
  const switches: ResolvedSwitches = { ...STANDARD_SWITCHES, ...kind.switches, ...given } as ResolvedSwitches;
  const { audience, resource, pkce, prompts, severalPrompts, omittedScopes, tokenEndpointAuthMethod } = switches;
  return Object.freeze({
    jwksUrl: kind.jwksUrl,
    metadataUrls: metadataUrlsOf(kind, switches),
    metadataIssuer: kind.metadataIssuer ?? ((issuer: string) => issuer),
    registration: registrationOf(kind, switches),
    sendsAudience: audience,
    acceptsResource: resource,
    acceptsPkce: pkce,
    prompts: Object.freeze({ passed: prompts, takesSeveral: severalPrompts }),
    scopesAtRefresh: SCOPES_AT_REFRESH[switches.refreshScopes],
    upstreamScope: kind.upstreamScope ?? ((scope: string) => scope),
    upstreamScopes: upstreamScopesOf(kind, switches),
    omittedScopes,
    tokenEndpointAuthMethod,
    audienceClaim: audience || resource ? 'aud' : (kind.audienceClaim ?? 'aud'),
    clientIsAudience: !audience && !resource && kind.clientIsAudience === true,
    audienceHint: kind.audienceHint,
    exchange: kind.exchange ?? TOKEN_EXCHANGE,
  });
}

const SCOPES_AT_REFRESH: Readonly<Record<ResolvedSwitches['refreshScopes'], Provider['scopesAtRefresh']>> = {
  fewer: () => undefined,
  // A refresh without a scope of the resource would be one for another resource.
  always: (asked, ofLogin) => (asked.some((scope) => !OPENID_SCOPES.includes(scope)) ? asked : ofLogin),
  never: () => [],
};

function metadataUrlsOf({ discoveryBase = (issuer) => issuer }: ProviderKind, { metadata }: ResolvedSwitches) {
  const appended = (issuer: string) => discoveryUrl(discoveryBase(issuer));
  return (issuer: string): readonly string[] => {
    const oauth = insertedMetadataUrl(issuer, 'oauth-authorization-server');
    if (metadata === 'oauth') return [oauth];
    if (metadata === 'openid') return [appended(issuer)];
    return [oauth, insertedMetadataUrl(issuer, 'openid-configuration'), appended(issuer)];
  };
}

function registrationOf(
  { registration }: ProviderKind,
  { registration: isPossible, registrationMembers }: ResolvedSwitches,
): Registration | undefined {
  if (!isPossible) return undefined;
  return Object.freeze({
    url: registration?.url ?? (() => undefined),
    credentials: registration?.credentials ?? 'Bearer',
    ...(registration?.needsCredentials && { needsCredentials: true as const }),
    members: registrationMembers,
    hint: registration?.hint,
  });
}

function upstreamScopesOf(
  { upstreamScope = (scope) => scope }: ProviderKind,
  { addedScopes, omittedScopes }: ResolvedSwitches,
): Provider['upstreamScopes'] {
  return (scopes, audiences) => {
    const known = scopes.filter((scope) => !omittedScopes.includes(scope));
    return [...new Set([...known.map((scope) => upstreamScope(scope, audiences)), ...addedScopes])];
  };
}
