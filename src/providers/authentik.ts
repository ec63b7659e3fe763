import { withoutClosingSlash } from '../http/well-known.js';
import type { ProviderKind } from './provider-kind.js';

/** authentik. Its registration came in 2026.8 and is an option there; `aud` is the client id. */
export const AUTHENTIK: ProviderKind = Object.freeze({
  switches: Object.freeze({ metadata: 'openid', registration: false, resource: false }),
  jwksUrl: (issuer: string) => `${withoutClosingSlash(issuer)}/jwks/`,
  clientIsAudience: true,
  audienceHint: 'name the client id in "audiences": authentik writes it into every token',
});
