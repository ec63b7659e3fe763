import { withoutClosingSlash } from '../http/well-known.js';
import { discoveryUrl, type Provider, REGISTRATION_MEMBERS, STANDARD } from './provider.js';

/** Okta's custom authorization servers. Registration belongs to the organisation, and needs an API token (`SSWS`). */
export const OKTA: Provider = Object.freeze({
  ...STANDARD,
  jwksUrl: (issuer: string) => `${withoutClosingSlash(issuer)}/v1/keys`,
  metadataUrls: (issuer: string) => [discoveryUrl(issuer)],
  registration: Object.freeze({
    url: (issuer: string) => `${new URL(issuer).origin}/oauth2/v1/clients`,
    credentials: 'SSWS' as const,
    needsCredentials: true as const,
    members: REGISTRATION_MEMBERS,
    hint: 'clients cannot register without an API token of the organisation; set "clientId" instead',
  }),
  sendsAudience: true,
  acceptsResource: false,
  audienceHint: 'make it the Audience of the authorization server (Okta: Security, API)',
});
