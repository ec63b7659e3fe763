import type { AuthOptions, auth as createHandler } from 'express-oauth2-jwt-bearer';
import type { AuthInfo } from '../../core/auth-info.js';
import { AuthError } from '../../core/errors.js';
import { ignoreRejection } from '../../core/ignore-rejection.js';
import { createLazyImport } from '../../core/lazy-import.js';
import { canParseUrl } from '../../http/can-parse-url.js';
import { lowerAscii } from '../../http/lower-ascii.js';
import type { Scheme } from '../../oauth/credentials.js';
import type { VerifiedJwt, VerifiedToken } from '../token/token-cache.js';
import { certificateDer } from './certificate-der.js';
import type { CountedUses } from './counted-uses.js';
import { requireCertificateOfOpaqueToken, verifyProofOfOpaqueToken } from './opaque-token-proof.js';
import type { ProofIds } from './proof-ids.js';

/** A token as a request presents it, with the evidence that the sender is the client it was issued to. */
export interface Presentation {
  readonly scheme: Scheme;
  readonly method: string;
  /** The origin of the configured resource. Not from the `Host` header: an attacker could set it to fit a proof for another server. */
  readonly origin: string | undefined;
  /** The request's path as received, without the query. */
  readonly path: string;
  /** The `DPoP` header. */
  readonly proof: string | undefined;
  /** The uses of proofs that were counted for the request. */
  readonly uses: () => CountedUses;
  /** The client's certificate, as PEM or DER. */
  readonly certificate: () => string | Uint8Array | undefined;
}

/** The settings and the memory for checking proofs. */
export interface ProofContext {
  readonly clockToleranceSeconds: number;
  /** Must remember each id for {@link proofWindowSeconds}. */
  readonly proofIds: ProofIds;
}

/** Seconds after its `iat` for which a proof is accepted (RFC 9449, section 11.1: "a relatively brief period"). */
const PROOF_LIFETIME_SECONDS = 60;

/** The accepted range of a proof's `iat`, in seconds before and after now. */
function windowOf(clockToleranceSeconds: number) {
  return { iatOffset: PROOF_LIFETIME_SECONDS + clockToleranceSeconds, iatLeeway: clockToleranceSeconds };
}

/** Seconds for which one proof can be accepted: its `iat` may lie ahead of our clock at first, and behind it at last. */
export function proofWindowSeconds(clockToleranceSeconds: number): number {
  const { iatOffset, iatLeeway } = windowOf(clockToleranceSeconds);
  return iatOffset + iatLeeway;
}

/**
 * Checks a DPoP proof (RFC 9449, section 4.3), and that it has not been used before, for another request.
 *
 * @throws {AuthError} `missing_dpop_proof`, `invalid_dpop_proof`, `replayed_dpop_proof`.
 * @throws {UpstreamError} If it cannot be known whether the proof was used before.
 */
export async function verifyDpopProof(
  verified: VerifiedToken,
  presentation: Presentation,
  { clockToleranceSeconds, proofIds }: ProofContext,
): Promise<void> {
  const { proof } = presentation;
  if (proof === undefined) throw new AuthError('missing_dpop_proof');
  requirePlainPath(presentation);
  const window = windowOf(clockToleranceSeconds);
  if (verified.jwt === undefined) {
    await verifyProofOfOpaqueToken(verified.auth, { ...presentation, proof }, window);
  } else {
    const options = { dpop: { enabled: true, required: true, ...window }, clockTolerance: clockToleranceSeconds };
    await runBearerAuth(verified.auth, verified.jwt, presentation, options, 'invalid_dpop_proof');
  }
  const { jti } = JSON.parse(Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString()) as { jti?: unknown };
  if (typeof jti !== 'string') throw new AuthError('invalid_dpop_proof', { reason: 'jti is not a string' });
  const { jkt } = verified.auth.payload.cnf as { jkt: string };
  if (!(await proofIds.isFirst(jkt, jti, presentation.uses()))) throw new AuthError('replayed_dpop_proof');
}

/**
 * Refuses a path that URL parsing changes (`/a/../b`, `*@evil.example`): the path compared with the proof's `htu` would
 * not be the one that the application's router sees.
 */
function requirePlainPath({ origin, path }: Presentation): void {
  const url = path.startsWith('/') && canParseUrl(path, origin) ? new URL(path, origin) : undefined;
  if (url?.pathname !== path || url.origin !== origin) {
    throw new AuthError('invalid_dpop_proof', { reason: 'the path of the request is ambiguous' });
  }
}

/**
 * Checks that the connection's certificate is the one that the token names (RFC 8705, section 3).
 * Does not check who issued the certificate.
 *
 * @throws {AuthError} `certificate_required`, `wrong_certificate`.
 */
export async function verifyCertificate(
  verified: VerifiedToken,
  presentation: Presentation,
  { clockToleranceSeconds: clockTolerance }: ProofContext,
): Promise<void> {
  const certificate = presentation.certificate();
  if (certificate === undefined) throw new AuthError('certificate_required');
  if (typeof certificate !== 'string' && !(certificate instanceof Uint8Array)) {
    ignoreRejection(certificate);
    throw new TypeError('senderConstraint.mtls.getCertificate returned neither a string, nor bytes, nor undefined');
  }
  // Once for all kinds of credentials, so that a certificate which counts for one counts for each.
  const der = certificateDer(certificate);
  if (der === undefined)
    throw new AuthError('wrong_certificate', { reason: 'getCertificate gave neither PEM nor DER' });
  if (verified.jwt === undefined) return requireCertificateOfOpaqueToken(verified.auth, der);
  const getCertificate = () => der;
  const mtls = { enabled: true, required: true };
  const options = { dpop: { enabled: false }, mtls, getCertificate, clockTolerance };
  await runBearerAuth(verified.auth, verified.jwt, presentation, options, 'wrong_certificate');
}

/** Loaded on demand: the package brings its own jose, takes as long to load as Express, and most policies need no proof. */
export const loadProofChecks = createLazyImport('express-oauth2-jwt-bearer', () => import('express-oauth2-jwt-bearer'));

/** express-oauth2-jwt-bearer checks a proof only together with its token, so it verifies the token a second time, with the same key. */
async function runBearerAuth(
  token: AuthInfo,
  jwt: VerifiedJwt,
  presentation: Presentation,
  options: AuthOptions,
  refusal: 'invalid_dpop_proof' | 'wrong_certificate',
): Promise<void> {
  const { auth: bearerAuth, UnauthorizedError } = await loadProofChecks();
  const handler = bearerAuth({ ...optionsFor(token, jwt), ...options });
  const error = await run(handler, requestFor(token, presentation));
  if (error instanceof UnauthorizedError) throw new AuthError(refusal, { reason: error.message });
  if (error !== undefined) throw error;
}

/** An empty string stops the package from reading an environment variable. `false` turns off a check that token-faults.ts has made, or that is not needed. */
function optionsFor({ header }: AuthInfo, { key, trusted }: VerifiedJwt): AuthOptions {
  return {
    issuer: trusted.issuer,
    audience: [...trusted.audiences],
    publicKey: key.pem,
    tokenSigningAlg: header.alg as string,
    issuerBaseURL: '',
    jwksUri: '',
    secret: '',
    validators: { typ: false, aud: false, exp: false, iat: false, sub: false, jti: false, client_id: false },
  };
}

type Handler = ReturnType<typeof createHandler>;
type Request = Parameters<Handler>[0];
type Response = Parameters<Handler>[1];

/** The parts of a request that the package reads. */
function requestFor({ token }: AuthInfo, presentation: Presentation): Partial<Request> {
  const { scheme, method, origin, path, proof } = presentation;
  const { protocol, host } = new URL((scheme === 'dpop' && origin) || 'https://unused');
  return {
    headers: { authorization: `${scheme} ${token}`, ...(proof === undefined ? {} : { dpop: proof }) },
    method,
    protocol: protocol.slice(0, -1),
    originalUrl: scheme === 'dpop' ? path : '/',
    get: ((name: string) => (lowerAscii(name) === 'host' ? host : undefined)) as Request['get'],
    is: () => false,
  };
}

function run(handler: Handler, req: Partial<Request>): Promise<unknown> {
  return new Promise((resolve) => void handler(req as Request, {} as Response, resolve));
}
