import { withoutClosingSlash } from '../http/well-known.js';
import { discoveryUrl, type Provider, STANDARD } from './provider.js';

/** Keycloak. Its registration endpoint answers without CORS (keycloak#39629), and it does not know RFC 8707 (keycloak#14355). */
export const KEYCLOAK: Provider = Object.freeze({
  ...STANDARD,
  jwksUrl: (issuer: string) => `${withoutClosingSlash(issuer)}/protocol/openid-connect/certs`,
  metadataUrls: (issuer: string) => [discoveryUrl(issuer)],
  registration: Object.freeze({
    url: (issuer: string) => `${withoutClosingSlash(issuer)}/clients-registrations/openid-connect`,
    credentials: 'Bearer' as const,
    // Its policy "Allowed Client Scopes", on by default, turns down every registration that names one.
    passesScope: false,
  }),
  acceptsResource: false,
  audienceHint: 'add an Audience mapper for it to a client scope that every client gets (Keycloak: Client scopes)',
});
