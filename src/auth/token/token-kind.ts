import type { Evidence } from '../../core/errors.js';
import { isRecord } from '../../http/json-object.js';
import { lowerAscii } from '../../http/lower-ascii.js';
import { type Claims, claimOf } from './claims.js';
import type { CompactJwt } from './compact-jwt.js';

/** The values of the header `typ` that an access token may have: that of RFC 9068, section 2.1, and others in use. */
const ACCESS_TOKEN_TYPE = /^(?:application\/)?(?:at\+)?jwt$/i;
/** A token with this header is an access token, whatever its claims are. */
const DECLARED_ACCESS_TOKEN = /^(?:application\/)?at\+jwt$/i;
/** The values of the claim `typ` by which Keycloak tells its tokens apart. It does not change the header's `typ`. */
const KEYCLOAK_ACCESS_TOKENS = ['bearer', 'dpop'];
const KEYCLOAK_OTHER_TOKENS = ['id', 'serialized-id', 'refresh', 'offline', 'logout'];
/** The values of `token_use` of an access token: those of Amazon Cognito and of Ory Hydra, which has it in answers of introspection. */
const ACCESS_TOKEN_USES = ['access', 'access_token'];
/** Claims of ID tokens (OpenID Connect Core, sections 2 and 3.3.2.11). */
const ID_TOKEN_CLAIMS = ['nonce', 'at_hash', 'c_hash'];

/**
 * Returns what shows that a token is not an access token; undefined if nothing does.
 *
 * An ID token tells a client who logged in. To accept it would give every user of that client access to this server. A refresh token stays with
 * its client, and a logout token says that a session is over.
 */
export function otherKindOf({ header, payload }: Pick<CompactJwt, 'header' | 'payload'>): Evidence | undefined {
  const { typ } = header;
  if (typ !== undefined && !(typeof typ === 'string' && ACCESS_TOKEN_TYPE.test(typ))) return { typ };
  if (typeof typ === 'string' && DECLARED_ACCESS_TOKEN.test(typ)) return undefined;
  for (const claim of ['typ', 'token_use']) {
    const value = claimOf(payload, claim);
    if (typeof value === 'string' && isOtherKind(claim, lowerAscii(value))) return { claim, value };
  }
  if (isDeclared(claimOf(payload, 'typ'))) return undefined;
  const claim = ID_TOKEN_CLAIMS.find((name) => claimOf(payload, name) !== undefined) ?? securityEventClaimOf(payload);
  return claim === undefined ? undefined : { claim };
}

function isOtherKind(claim: string, value: string): boolean {
  return claim === 'typ' ? KEYCLOAK_OTHER_TOKENS.includes(value) : !ACCESS_TOKEN_USES.includes(value);
}

/** True if the claim `typ` says that the token is an access token. Such a token may have claims of an ID token. */
function isDeclared(claim: unknown): boolean {
  return typeof claim === 'string' && KEYCLOAK_ACCESS_TOKENS.includes(lowerAscii(claim));
}

/** Logout tokens are security event tokens, whose `events` is an object (RFC 8417, section 2.2; OpenID Connect Back-Channel Logout, section 2.4). */
function securityEventClaimOf(payload: Claims): string | undefined {
  return isRecord(claimOf(payload, 'events')) ? 'events' : undefined;
}
