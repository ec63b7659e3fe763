import { lowerAscii } from '../http/lower-ascii.js';

/** The first characters of the API keys that this package makes. People and secret scanners recognize a key by them. */
export const API_KEY_PREFIX = 'emak_';

/** The first characters of the access tokens that this package issues. */
export const ISSUED_TOKEN_PREFIX = 'emat_';

/** The header that may carry an API key in place of `Authorization`. */
export const API_KEY_HEADER = 'x-api-key';

/**
 * Returns the kind of a credential. Only its form decides: a credential that fails the checks of its kind is refused, and no other
 * party is asked about it.
 */
export function credentialFormOf(credential: string): 'apiKey' | 'issued' | 'jwt' | 'opaque' {
  // A key that a text field has capitalized is secret too.
  const start = lowerAscii(credential.slice(0, API_KEY_PREFIX.length));
  if (start === API_KEY_PREFIX) return 'apiKey';
  if (start === ISSUED_TOKEN_PREFIX) return 'issued';
  const first = credential.indexOf('.');
  const second = credential.indexOf('.', first + 1);
  // RFC 7515, section 7.1: three segments.
  return first !== -1 && second !== -1 && !credential.includes('.', second + 1) ? 'jwt' : 'opaque';
}
