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
  /** A `scope` of the client's metadata is passed on; where not, clients may later ask for any scope that the server gives. */
  readonly passesScope: boolean;
}

/** What most servers have in common, and what RFC 8414 and RFC 8707 expect of all. */
export const STANDARD: Provider = Object.freeze({
  jwksUrl: (issuer: string) => `${withoutClosingSlash(issuer)}${wellKnownPath('jwks.json')}`,
  metadataUrls: (issuer: string) => [
    insertedMetadataUrl(issuer, 'oauth-authorization-server'),
    insertedMetadataUrl(issuer, 'openid-configuration'),
    discoveryUrl(issuer),
  ],
  metadataIssuer: (issuer: string) => issuer,
  registration: Object.freeze({ url: () => undefined, credentials: 'Bearer', passesScope: true }),
  sendsAudience: false,
  acceptsResource: true,
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
