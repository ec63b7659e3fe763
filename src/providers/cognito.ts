import { wellKnownJwksUrl } from './provider.js';
import type { ProviderKind } from './provider-kind.js';

/**
 * Amazon Cognito user pools. `resource` becomes `aud` only in some plans, with managed login and a resource server of that name, and
 * ends logins elsewhere; so it is off, and tokens name the app client as `client_id` and have no `aud`. PKCE works, and is not announced.
 */
export const COGNITO: ProviderKind = Object.freeze({
  switches: Object.freeze({
    metadata: 'openid',
    registration: false,
    resource: false,
    // It answers `invalid_scope`, and issues refresh tokens without this scope.
    omittedScopes: Object.freeze(['offline_access']),
  }),
  fixed: Object.freeze({ registration: 'Cognito has no registration' }),
  jwksUrl: wellKnownJwksUrl,
  audienceClaim: 'client_id',
  audienceHint: 'name the id of the app client in "audiences": Cognito writes it into "client_id", and no "aud"',
});
