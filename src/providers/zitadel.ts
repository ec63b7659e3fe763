import { withoutClosingSlash } from '../http/well-known.js';
import type { ProviderKind } from './provider-kind.js';

/**
 * ZITADEL. Registration is an option of the instance, and clients that registered get opaque tokens (zitadel#12658). It ignores `resource`
 * (zitadel#12710): the audience is the project, or another one that a scope names.
 */
export const ZITADEL: ProviderKind = Object.freeze({
  switches: Object.freeze({
    metadata: 'openid',
    registration: false,
    resource: false,
    // Without it, a login is refused.
    addedScopes: Object.freeze(['openid']),
    // It discards scopes that it does not know (zitadel#10408), does not say which it granted (zitadel#6609), and refuses others.
    refreshScopes: 'never',
  }),
  jwksUrl: (issuer: string) => `${withoutClosingSlash(issuer)}/oauth/v2/keys`,
  registration: Object.freeze({
    hint: 'allow unauthenticated Dynamic Client Registration in the security settings of the instance, or set "clientId"',
  }),
  audienceHint:
    'name the project id in "audiences"; for a project that is not that of the application, ask for it by a scope in "addedScopes" (urn:zitadel:iam:org:project:id:{project id}:aud)',
});
