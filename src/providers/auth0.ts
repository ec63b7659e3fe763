import { wellKnownJwksUrl } from './provider.js';
import type { ProviderKind } from './provider-kind.js';

/** Auth0. Without `audience` its access tokens are opaque; registration is off until the tenant's settings allow it. */
export const AUTH0: ProviderKind = Object.freeze({
  switches: Object.freeze({ metadata: 'oauth', audience: true, resource: false }),
  jwksUrl: wellKnownJwksUrl,
  audienceHint:
    'create an API with this identifier in the tenant, and name it first in "audiences" (Auth0: Applications, APIs)',
});
