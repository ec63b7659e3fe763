import { type WellKnownName, wellKnownPath, withoutClosingSlash } from '../http/well-known.js';
import type { ExchangeRules } from './exchange-rules.js';

/** The peculiarities of one authorization server: data, and pure functions of the issuer. Nothing is fetched here. */
export interface Provider {
  /** The URL of the keys, if the policy has no `jwks`. Undefined if the metadata names it. */
  readonly jwksUrl: ((issuer: string) => string) | undefined;
  /** The URLs where the metadata may be. The first one that has it counts. */
  metadataUrls(issuer: string): readonly string[];
  /** The `issuer` that the metadata must name (RFC 8414, section 3.3), and with it the callback's `iss` (RFC 9207). */
  metadataIssuer(issuer: string): string;
  /** The way to register clients (RFC 7591); undefined if they cannot, so that `clientId` is required. */
  readonly registration: Registration | undefined;
  /** True if the authorization request has `audience`, because the server does not take the audience from `resource`. */
  readonly sendsAudience: boolean;
  /** True if the server supports `resource` (RFC 8707), or at least tolerates it. */
  readonly acceptsResource: boolean;
  /** True if the server supports PKCE (RFC 7636). */
  readonly acceptsPkce: boolean;
  /** The values of a client's `prompt` that are passed to the server (OpenID Connect Core, section 3.1.2.1). */
  readonly prompts: Prompts;
  /**
   * Returns the scopes that a refresh must name; undefined if the server reuses those of the login (RFC 6749, section 6).
   * Both lists have the server's spelling. `asked` has the scopes that the client named, all of them also in `ofLogin`.
   */
  scopesAtRefresh(asked: readonly string[], ofLogin: readonly string[]): readonly string[] | undefined;
  /** Returns a scope in the spelling of this server. */
  upstreamScope(scope: string, audiences: readonly string[]): string;
  /** Returns the scopes to ask this server for, in its spelling, if a client asks for `scopes`. */
  upstreamScopes(scopes: readonly string[], audiences: readonly string[]): readonly string[];
  /** The scopes that this server does not know. */
  readonly omittedScopes: readonly string[];
  /** The method to send the configured client's secret. Undefined: the one that the metadata announces. */
  readonly tokenEndpointAuthMethod: 'client_secret_basic' | 'client_secret_post' | undefined;
  /** The claim of access tokens that names the audience. */
  readonly audienceClaim: 'aud' | 'client_id';
  /** True if a token names the client id in `aud`, and never the resource. */
  readonly clientIsAudience: boolean;
  /** Advice for the log if the server issues tokens for another audience. */
  readonly audienceHint: string | undefined;
  /** The way to exchange the token of a user for one of another API. */
  readonly exchange: ExchangeRules;
}

export interface Registration {
  /** The registration endpoint, if the metadata has none. */
  url(issuer: string): string | undefined;
  /** The scheme of the credentials that a client may send in `Authorization`; other credentials are not forwarded. */
  readonly credentials: 'Bearer' | 'SSWS';
  /** True if no client can register without credentials. */
  readonly needsCredentials?: true;
  /** The members of a client's registration that are passed to the server. Without `scope`, clients may later ask for any scope. */
  readonly members: readonly RegistrationMember[];
  /** Advice for the log if the server refuses a registration. */
  readonly hint: string | undefined;
}

export interface Prompts {
  /** The values that the server supports, and that do no harm there. */
  readonly passed: readonly string[];
  /** True if the server accepts a list of values. Otherwise it gets the first of `passed` that the client asked for. */
  readonly takesSeveral: boolean;
}

/** The metadata that a client may register (RFC 7591, section 2), besides the members that the OAuth proxy sets. */
export const REGISTRATION_MEMBERS = Object.freeze([
  'client_name',
  'client_uri',
  'logo_uri',
  'tos_uri',
  'policy_uri',
  'contacts',
  'scope',
  'software_id',
  'software_version',
] as const);

/** One of them. */
export type RegistrationMember = (typeof REGISTRATION_MEMBERS)[number];

/** The URL of the keys of a server that names none. */
export function wellKnownJwksUrl(issuer: string): string {
  return `${withoutClosingSlash(issuer)}${wellKnownPath('jwks.json')}`;
}

/** RFC 8414, section 3.1: the well-known segment goes between the host and the issuer's path. */
export function insertedMetadataUrl(issuer: string, name: WellKnownName): string {
  const { origin, pathname } = new URL(issuer);
  return `${origin}${wellKnownPath(name, withoutClosingSlash(pathname))}`;
}

/** OpenID Connect Discovery 1.0, section 4: the segment is appended. */
export function discoveryUrl(issuer: string): string {
  return `${withoutClosingSlash(issuer)}${wellKnownPath('openid-configuration')}`;
}
