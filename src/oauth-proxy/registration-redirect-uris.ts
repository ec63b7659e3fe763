import { printableAscii } from '../core/printable.js';
import { OAuthError } from './oauth-error.js';
import { isAcceptableRedirectUri, isAllowedRedirectUri } from './redirect-uri.js';

const MAX_REDIRECT_URIS = 10;
const MAX_LISTED = 200;

/** The redirect URIs of a registration. */
export interface RegistrationRedirectUris {
  /** Those that are registered: at least one. */
  readonly redirectUris: readonly string[];
  /** Those that `allowedRedirectUris` does not allow. */
  readonly notAllowed: readonly string[];
}

/**
 * Reads `redirect_uris` of a registration. Some clients register URIs for every place where they may run, and the operator allows
 * those of one. The server may register less than the client asks for, and says so in its answer (RFC 7591, section 3.2.1).
 *
 * @param allowed As in the policy.
 * @throws {OAuthError} If one is not acceptable, or none is allowed. The error names them.
 */
export function readRedirectUris(given: unknown, allowed: readonly string[] | undefined): RegistrationRedirectUris {
  const uris = requireAcceptable(given);
  const redirectUris = uris.filter((uri) => isAllowedRedirectUri(uri, allowed));
  if (redirectUris.length === 0) {
    throw new OAuthError('invalid_redirect_uri', `This server allows none of the redirect_uris ${listUris(uris)}`);
  }
  return { redirectUris, notAllowed: uris.filter((uri) => !redirectUris.includes(uri)) };
}

function requireAcceptable(given: unknown): readonly string[] {
  const expected =
    'redirect_uris must be 1 to 10 URIs: https, http on loopback, or a private-use scheme, without fragment';
  const isList = Array.isArray(given) && given.length > 0 && given.length <= MAX_REDIRECT_URIS;
  if (!isList) throw new OAuthError('invalid_redirect_uri', expected);
  const bad = given.filter((uri) => typeof uri !== 'string' || !isAcceptableRedirectUri(uri));
  if (bad.length === 0) return given;
  throw new OAuthError('invalid_redirect_uri', `${expected}. Not accepted: ${listUris(bad)}`);
}

/** Lists the redirect URIs of a registration for its answer, and for the log. */
export function listUris(uris: readonly unknown[]): string {
  return uris.map((uri) => (typeof uri === 'string' ? printableAscii(uri, MAX_LISTED) : `a ${typeof uri}`)).join(', ');
}
