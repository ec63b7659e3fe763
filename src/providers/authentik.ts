import { withoutClosingSlash } from '../http/well-known.js';
import { discoveryUrl, type Provider, STANDARD } from './provider.js';

/** authentik. It has no registration (authentik#8751), and `aud` is the client id. */
export const AUTHENTIK: Provider = Object.freeze({
  ...STANDARD,
  jwksUrl: (issuer: string) => `${withoutClosingSlash(issuer)}/jwks/`,
  metadataUrls: (issuer: string) => [discoveryUrl(issuer)],
  registration: undefined,
  acceptsResource: false,
  audienceHint: 'name the client id in "audiences": authentik writes it into every token',
});
