import type { KeySet } from '../../auth/keys/key-set.js';
import { verifySignature } from '../../auth/keys/signature.js';
import { type CompactJwt, parseCompactJwt } from '../../auth/token/compact-jwt.js';
import { AuthError, UpstreamError } from '../../core/errors.js';
import type { Profile } from '../../providers/identity/identity-provider.js';
import type { IssuingContext } from './issuing-context.js';

/** Claims about the token and not about the user. */
const ABOUT_THE_TOKEN = ['iss', 'aud', 'azp', 'exp', 'iat', 'nbf', 'nonce', 'at_hash', 'c_hash', 'jti', 'auth_time'];

/**
 * Checks an ID token (OpenID Connect Core, section 3.1.3.7), and returns what it says about the user.
 *
 * @param nonce Undefined at a refresh, where the ID token has none (section 12.2).
 * @throws {UpstreamError} If it is not good: only the identity provider can be the reason, since it came from there.
 */
export async function readIdToken(
  { identity, keySet, clockToleranceSeconds }: IssuingContext,
  idToken: string,
  nonce: string | undefined,
): Promise<Profile> {
  try {
    const jwt = parseCompactJwt(idToken);
    const issuers = identity.provider.idToken?.issuers ?? [];
    const fault = faultOf(jwt.payload, { issuers, clientId: identity.client.id, nonce, clockToleranceSeconds });
    if (fault !== undefined) throw malformed(fault);
    await requireSignature(jwt, keySet as KeySet);
    return Object.fromEntries(Object.entries(jwt.payload).filter(([name]) => !ABOUT_THE_TOKEN.includes(name)));
  } catch (error) {
    throw error instanceof AuthError ? malformed(error.message) : error;
  }
}

function malformed(reason: string): UpstreamError {
  return new UpstreamError('authorization_server_malformed', { cause: new Error(`its ID token: ${reason}`) });
}

interface Expected {
  readonly issuers: readonly string[];
  readonly clientId: string;
  readonly nonce: string | undefined;
  readonly clockToleranceSeconds: number;
}

function faultOf(claims: Profile, { issuers, clientId, nonce, clockToleranceSeconds }: Expected): string | undefined {
  const { iss, aud, azp, exp } = claims;
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!issuers.includes(iss as string)) return 'it is of another issuer';
  if (!audiences.includes(clientId)) return 'it is for another client';
  if ((audiences.length > 1 || azp !== undefined) && azp !== clientId) return 'it is for another client (azp)';
  if (typeof exp !== 'number' || !(exp + clockToleranceSeconds > Date.now() / 1_000)) return 'it has expired';
  return nonce !== undefined && claims.nonce !== nonce ? 'it is of another login (nonce)' : undefined;
}

/** If the key does not verify it, a newer one with the same `kid` may. */
async function requireSignature(jwt: CompactJwt, keySet: KeySet): Promise<void> {
  const wanted = { kid: jwt.kid, alg: jwt.alg };
  const key = await keySet.find(wanted);
  try {
    await verifySignature(jwt, key.key);
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    const newer = await keySet.find(wanted, key);
    await verifySignature(jwt, newer.key);
  }
}
