import { withoutClosingSlash } from '../http/well-known.js';
import { discoveryUrl, type Provider, REGISTRATION_MEMBERS, STANDARD } from './provider.js';

/** Keycloak. Its registration endpoint answers without CORS (keycloak#39629), and it does not know RFC 8707 (keycloak#14355). */
export const KEYCLOAK: Provider = Object.freeze({
  ...STANDARD,
  jwksUrl: (issuer: string) => `${withoutClosingSlash(issuer)}/protocol/openid-connect/certs`,
  metadataUrls: (issuer: string) => [discoveryUrl(issuer)],
  registration: Object.freeze({
    url: (issuer: string) => `${withoutClosingSlash(issuer)}/clients-registrations/openid-connect`,
    credentials: 'Bearer' as const,
    // The default policies for anonymous registration refuse these two: "Allowed Client Scopes" refuses every `scope`, and
    // "Trusted Hosts" a `client_uri` of a host that is not trusted.
    members: Object.freeze(REGISTRATION_MEMBERS.filter((member) => member !== 'scope' && member !== 'client_uri')),
    hint: 'see Clients, Client registration, Anonymous access policies: Trusted Hosts must name the host of this server and of "resource"; Max Clients Limit may be reached',
  }),
  acceptsResource: false,
  audienceHint: 'add an Audience mapper for it to a client scope that every client gets (Keycloak: Client scopes)',
});
