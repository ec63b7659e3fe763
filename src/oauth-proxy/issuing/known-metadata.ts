import type { IdentityProvider } from '../../providers/identity/identity-provider.js';
import type { ServerMetadata } from '../../upstream/server-metadata.js';

/**
 * Returns what is known of an identity provider, in the form of its metadata.
 *
 * @param scopes The scopes of our tokens, which our metadata lists.
 */
export function knownMetadata(provider: IdentityProvider, scopes: readonly string[]): ServerMetadata {
  return Object.freeze({
    issuer: provider.issuer,
    authorizationEndpoint: new URL(provider.authorizationEndpoint),
    tokenEndpoint: new URL(provider.tokenEndpoint),
    registrationEndpoint: undefined,
    revocationEndpoint: undefined,
    sendsIss: false,
    document: Object.freeze(scopes.length === 0 ? {} : { scopes_supported: scopes }),
  });
}
