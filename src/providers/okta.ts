import { withoutClosingSlash } from '../http/well-known.js';
import type { ProviderKind } from './provider-kind.js';

/** Okta's custom authorization servers. Registration belongs to the organisation, and needs an API token (`SSWS`). */
export const OKTA: ProviderKind = Object.freeze({
  switches: Object.freeze({ metadata: 'openid', audience: true, resource: false }),
  jwksUrl: (issuer: string) => `${withoutClosingSlash(issuer)}/v1/keys`,
  registration: Object.freeze({
    url: (issuer: string) => `${new URL(issuer).origin}/oauth2/v1/clients`,
    credentials: 'SSWS',
    needsCredentials: true,
    hint: 'clients cannot register without an API token of the organisation; set "clientId" instead',
  }),
  audienceHint: 'make it the Audience of the authorization server (Okta: Security, API)',
});
