import { API_KEY_ISSUER, type AuthInfo } from './auth-info.js';

/** Returns the id of the caller's API key; undefined for a caller with a token. */
export function apiKeyOf({ payload, clientId }: AuthInfo): string | undefined {
  return payload.iss === API_KEY_ISSUER ? clientId : undefined;
}
