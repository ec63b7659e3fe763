import { withoutClosingSlash } from '../http/well-known.js';
import { REGISTRATION_MEMBERS } from './provider.js';
import type { ProviderKind } from './provider-kind.js';

/**
 * Keycloak. Its registration endpoint answers without CORS (keycloak#39629), and it does not know RFC 8707 (keycloak#14355) without a
 * feature that is experimental in 26.
 */
export const KEYCLOAK: ProviderKind = Object.freeze({
  switches: Object.freeze({
    metadata: 'openid',
    resource: false,
    // The default policies for anonymous registration refuse these two: "Allowed Client Scopes" refuses every `scope`, and
    // "Trusted Hosts" a `client_uri` of a host that is not trusted.
    registrationMembers: Object.freeze(
      REGISTRATION_MEMBERS.filter((member) => member !== 'scope' && member !== 'client_uri'),
    ),
  }),
  jwksUrl: (issuer: string) => `${withoutClosingSlash(issuer)}/protocol/openid-connect/certs`,
  registration: Object.freeze({
    url: (issuer: string) => `${withoutClosingSlash(issuer)}/clients-registrations/openid-connect`,
    hint: 'see Clients, Client registration, Anonymous access policies: Trusted Hosts must name the host of this server and of "resource"; Max Clients Limit may be reached',
  }),
  audienceHint: 'add an Audience mapper for it to a client scope that every client gets (Keycloak: Client scopes)',
});
