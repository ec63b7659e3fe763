import { createHash } from 'node:crypto';
import type { JWTPayload, JWTVerifyResult } from 'jose';
import type { AuthInfo } from '../../core/auth-info.js';
import { AuthError } from '../../core/errors.js';
import { createLazyImport } from '../../core/lazy-import.js';
import { canParseUrl } from '../../http/can-parse-url.js';
import { lowerAscii } from '../../http/lower-ascii.js';
import { DPOP_ALGORITHMS } from '../../oauth/challenge.js';

// express-oauth2-jwt-bearer checks a proof only together with a JWT, so the proofs of opaque tokens are checked here.

const loadJose = createLazyImport('jose', () => import('jose'));

/** The request that carries the proof. */
interface ProvenRequest {
  readonly proof: string;
  readonly method: string;
  /** The origin of the configured resource. */
  readonly origin: string | undefined;
  readonly path: string;
}

/** The accepted range of a proof's `iat`, in seconds before and after now. */
interface IatWindow {
  readonly iatOffset: number;
  readonly iatLeeway: number;
}

/**
 * Checks the DPoP proof of an opaque token (RFC 9449, section 4.3). Does not check that it is used for the first time.
 *
 * @throws {AuthError} `invalid_dpop_proof`.
 */
export async function verifyProofOfOpaqueToken(
  { token, payload }: AuthInfo,
  { proof, method, origin, path }: ProvenRequest,
  window: IatWindow,
): Promise<void> {
  const { EmbeddedJWK, jwtVerify, calculateJwkThumbprint } = await loadJose();
  let verified: JWTVerifyResult;
  let thumbprint: string;
  try {
    verified = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt', algorithms: [...DPOP_ALGORITHMS] });
    thumbprint = await calculateJwkThumbprint(verified.protectedHeader.jwk as object);
  } catch (error) {
    throw invalid((error as Error).message);
  }
  const { jkt } = payload.cnf as { jkt: unknown };
  if (thumbprint !== jkt) throw invalid('it is signed with another key than the one that the token is bound to');
  const fault = faultOf(verified.payload, { token, method, url: `${origin}${path}` }, window);
  if (fault !== undefined) throw invalid(fault);
}

function faultOf(
  { htm, htu, iat, ath, jti }: JWTPayload,
  expected: { readonly token: string; readonly method: string; readonly url: string },
  { iatOffset, iatLeeway }: IatWindow,
): string | undefined {
  const now = Date.now() / 1000;
  if (typeof iat !== 'number' || iat < now - iatOffset || iat > now + iatLeeway) return 'its iat is not now';
  if (htm !== expected.method) return 'its htm is another method';
  if (typeof htu !== 'string' || normalize(htu) !== normalize(expected.url)) return 'its htu is another URL';
  if (ath !== createHash('sha256').update(expected.token).digest('base64url')) return 'its ath is of another token';
  return typeof jti === 'string' && jti !== '' ? undefined : 'it has no jti';
}

/** RFC 9449, section 4.3: without query and fragment, and normalized (RFC 3986, section 6.2). */
function normalize(text: string): string | undefined {
  if (!canParseUrl(text)) return undefined;
  const { origin, pathname } = new URL(text);
  return origin + pathname.replace(/%[\da-fA-F]{2}/g, lowerAscii);
}

function invalid(reason: string): AuthError {
  return new AuthError('invalid_dpop_proof', { reason });
}

/**
 * Checks that an opaque token is bound to this certificate (RFC 8705, section 3.1).
 *
 * @throws {AuthError} `wrong_certificate`.
 */
export function requireCertificateOfOpaqueToken({ payload }: AuthInfo, der: Buffer): void {
  const { 'x5t#S256': expected } = payload.cnf as Record<string, unknown>;
  const thumbprint = createHash('sha256').update(der).digest('base64url');
  if (thumbprint !== expected) throw new AuthError('wrong_certificate');
}
