import { REFUSALS, type RefusalCode } from '../core/errors.js';
import type { CredentialPlaces } from './credential-reader.js';

/** The credentials that a policy accepts, and where it reads them. */
export interface AcceptedCredentials extends CredentialPlaces {
  /** The issuers whose tokens are accepted. */
  readonly issuers: readonly unknown[];
  readonly verifiers: readonly unknown[];
  /** Defined if clients get tokens through this server. */
  readonly oauthProxy: object | undefined;
}

/** Returns the public description of a refusal, for clients and the log. It is the same for all requests of one policy. */
export function refusalText(code: RefusalCode, accepted: AcceptedCredentials): string {
  const { apiKeys, issuers, verifiers, oauthProxy, authorizationLocation: location } = accepted;
  if (code === 'missing_token') {
    const acceptsTokens = issuers.length > 0 || verifiers.length > 0 || oauthProxy !== undefined;
    if (apiKeys !== undefined) return acceptsTokens ? 'Access token or API key required' : 'API key required';
    if (issuers.length === 0) return 'Access token required';
  }
  if (code === 'malformed_header' && location !== undefined) {
    const expected = location.prefix === '' ? 'the token alone' : `${JSON.stringify(location.prefix)} and one token`;
    return `The header ${location.header} must be ${expected}`;
  }
  return REFUSALS[code].description;
}
