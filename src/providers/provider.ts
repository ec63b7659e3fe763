import { type WellKnownName, wellKnownPath, withoutClosingSlash } from '../http/well-known.js';

/** What is peculiar about one kind of authorization server. Data and pure functions of the issuer: nothing is fetched here. */
export interface Provider {
  /** Where the keys are, where the policy does not say. */
  jwksUrl(issuer: string): string;
  /** Where the metadata may be; the first address that has it counts. */
  metadataUrls(issuer: string): readonly string[];
  /** The `issuer` that the metadata must name (RFC 8414, section 3.3), and with it the callback's `iss` (RFC 9207). */
  metadataIssuer(issuer: string): string;
  /** How clients register there (RFC 7591); undefined where they cannot, so that `clientId` is required. */
  readonly registration: Registration | undefined;
  /** `audience` joins the authorization request, since the server does not choose the audience by `resource`. */
  readonly sendsAudience: boolean;
  /** RFC 8707: the server knows `resource`, or at least does not mind it. */
  readonly acceptsResource: boolean;
  /** The values of a client's `prompt` that the server gets (OpenID Connect Core, section 3.1.2.1). */
  readonly prompts: Prompts;
  /**
   * The scopes that a refresh must name, where the server does not take those of the login by itself (RFC 6749, section 6);
   * undefined where it does. Both lists are in the server's spelling; `asked` is what the client named, and part of the other.
   */
  scopesAtRefresh(asked: readonly string[], ofLogin: readonly string[]): readonly string[] | undefined;
  /** The scope as this server spells it. */
  upstreamScope(scope: string, audiences: readonly string[]): string;
  /** For the log, where a token comes with another audience: what to change at this server. */
  readonly audienceHint: string | undefined;
}

export interface Registration {
  /** Where the metadata does not say. */
  url(issuer: string): string | undefined;
  /** The scheme of the credentials that a caller may bring in `Authorization`; other credentials are not forwarded. */
  readonly credentials: 'Bearer' | 'SSWS';
  /** The members of a client's registration that the server gets. Without `scope`, clients may later ask for any scope that it gives. */
  readonly members: readonly RegistrationMember[];
  /** For the log, where the server refuses a registration: what to change there. */
  readonly hint: string | undefined;
}

export interface Prompts {
  /** The values that the server knows, and that do no harm there. */
  readonly passed: readonly string[];
  /** The server takes a list of values; where not, the first of `passed` counts that the client asked for. */
  readonly takesSeveral: boolean;
}

/** The metadata that a client may register (RFC 7591, section 2), beside the members that the OAuth proxy sets. */
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

export type RegistrationMember = (typeof REGISTRATION_MEMBERS)[number];

/** What most servers have in common, and what RFC 8414 and RFC 8707 expect of all. */
export const STANDARD: Provider = Object.freeze({
  jwksUrl: (issuer: string) => `${withoutClosingSlash(issuer)}${wellKnownPath('jwks.json')}`,
  metadataUrls: (issuer: string) => [
    insertedMetadataUrl(issuer, 'oauth-authorization-server'),
    insertedMetadataUrl(issuer, 'openid-configuration'),
    discoveryUrl(issuer),
  ],
  metadataIssuer: (issuer: string) => issuer,
  registration: Object.freeze({
    url: () => undefined,
    credentials: 'Bearer',
    members: REGISTRATION_MEMBERS,
    hint: undefined,
  }),
  sendsAudience: false,
  acceptsResource: true,
  // Not select_account: oidc-provider, for one, refuses every login that asks for it.
  prompts: Object.freeze({ passed: Object.freeze(['none', 'login', 'consent']), takesSeveral: true }),
  scopesAtRefresh: () => undefined,
  upstreamScope: (scope: string) => scope,
  audienceHint: undefined,
});

/** RFC 8414, section 3.1: the well-known segment goes between the host and the issuer's path. */
export function insertedMetadataUrl(issuer: string, name: WellKnownName): string {
  const { origin, pathname } = new URL(issuer);
  return `${origin}${wellKnownPath(name, withoutClosingSlash(pathname))}`;
}

/** OpenID Connect Discovery 1.0, section 4: the segment is appended. */
export function discoveryUrl(issuer: string): string {
  return `${withoutClosingSlash(issuer)}${wellKnownPath('openid-configuration')}`;
}
