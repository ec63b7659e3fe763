import type { AuthInfo } from './auth-info.js';

/** The `iss` of callers with an API key. No authorization server has this name, so no OAuth user is the same as the user of a key. */
export const API_KEY_ISSUER = 'urn:express-mcp-auth:api-key';

/** Returns the id of the caller's API key; undefined for a caller with a token. */
export function apiKeyOf({ payload, clientId }: AuthInfo): string | undefined {
  return payload.iss === API_KEY_ISSUER ? clientId : undefined;
}
