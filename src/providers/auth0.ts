import { insertedMetadataUrl, type Provider, STANDARD, wellKnownJwksUrl } from './provider.js';

/** Auth0. Without `audience` its access tokens are opaque; registration is off until the tenant's settings allow it. */
export const AUTH0: Provider = Object.freeze({
  ...STANDARD,
  jwksUrl: wellKnownJwksUrl,
  metadataUrls: (issuer: string) => [insertedMetadataUrl(issuer, 'oauth-authorization-server')],
  sendsAudience: true,
  acceptsResource: false,
  audienceHint:
    'create an API with this identifier in the tenant, and name it first in "audiences" (Auth0: Applications, APIs)',
});
