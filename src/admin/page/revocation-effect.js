/** The issuer of the callers who send an API key. */
const API_KEY_ISSUER = 'urn:express-mcp-auth:api-key';

/**
 * Returns the sentences that say what a revocation does, for the operator who is asked.
 *
 * @param {'user' | 'client'} kind
 * @param {string} issuer
 */
export function revocationEffect(kind, issuer) {
  if (issuer !== API_KEY_ISSUER) {
    return 'is refused from now on. After a new login they may call again, if their tokens say when they were issued (iat): others stay refused.';
  }
  // An API key does not say when it was made, and each is a client of its own.
  return kind === 'client'
    ? 'is refused from now on. That is this API key alone.'
    : 'is refused from now on. API keys that are made later for this user are refused too. To end one key, remove its entry, or revoke its client (key-…).';
}
