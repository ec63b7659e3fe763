import { printableAscii } from '../core/printable.js';
import { isAcceptableRedirectUri } from '../oauth/acceptable-redirect-uri.js';
import { clientRedirectUris, type GivenMetadata, REDIRECT_URIS } from './client-members.js';
import { OAuthError } from './oauth-error.js';
import { isAllowedRedirectUri } from './redirect-uri.js';

const MAX_NAMED = 10;
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
export function readRedirectUris(
  given: GivenMetadata,
  allowed: readonly string[] | undefined,
): RegistrationRedirectUris {
  const uris = requireAcceptable(given);
  const redirectUris = uris.filter((uri) => isAllowedRedirectUri(uri, allowed));
  if (redirectUris.length === 0) {
    throw new OAuthError('invalid_redirect_uri', `This server allows none of the redirect_uris ${listUris(uris)}`);
  }
  return { redirectUris, notAllowed: uris.filter((uri) => !redirectUris.includes(uri)) };
}

function requireAcceptable(metadata: GivenMetadata): readonly string[] {
  const uris = clientRedirectUris(metadata);
  if (uris !== undefined) return uris;
  const { redirect_uris: given } = metadata;
  const list: readonly unknown[] = Array.isArray(given) ? given.slice(0, MAX_NAMED) : [];
  const bad = list.filter((uri) => typeof uri !== 'string' || !isAcceptableRedirectUri(uri));
  const named = bad.length === 0 ? '' : `. Not accepted: ${listUris(bad)}`;
  throw new OAuthError('invalid_redirect_uri', `redirect_uris must be ${REDIRECT_URIS}${named}`);
}

/** Lists the redirect URIs of a registration for its answer, and for the log. */
export function listUris(uris: readonly unknown[]): string {
  return uris.map((uri) => (typeof uri === 'string' ? printableAscii(uri, MAX_LISTED) : `a ${typeof uri}`)).join(', ');
}
