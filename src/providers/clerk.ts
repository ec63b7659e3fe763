import { wellKnownJwksUrl } from './provider.js';
import type { ProviderKind } from './provider-kind.js';

/**
 * Clerk. Its access tokens name the client as `client_id` and have no `aud`, so a policy can only accept clients that it knows by their id:
 * registration, which Clerk offers as an option, is off.
 */
export const CLERK: ProviderKind = Object.freeze({
  switches: Object.freeze({
    metadata: 'oauth',
    registration: false,
    resource: false,
    // Its metadata lists them, but no client may ask for a scope that was not chosen for it.
    omittedScopes: Object.freeze(['public_metadata', 'private_metadata']),
  }),
  jwksUrl: wellKnownJwksUrl,
  registration: Object.freeze({
    hint: 'switch on Dynamic client registration in the Clerk Dashboard (OAuth applications), or set "clientId"',
  }),
  audienceClaim: 'client_id',
  audienceHint: 'name the client id of the OAuth application in "audiences": Clerk writes it into "client_id"',
});
