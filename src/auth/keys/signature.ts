import { constants, type KeyObject, verify } from 'node:crypto';
import { joseToDer } from 'ecdsa-sig-formatter';
import type { Algorithm } from 'jsonwebtoken';
import { AuthError, UpstreamError } from '../../core/errors.js';
import { createLazyImport } from '../../core/lazy-import.js';
import { createVerificationQueue } from './verification-queue.js';

interface SignatureAlgorithm {
  readonly keyType: 'rsa' | 'ec' | 'ed25519';
  /** OpenSSL's name of the curve, as in `KeyObject.asymmetricKeyDetails`. */
  readonly namedCurve?: string;
  readonly verifiedBy: () => Promise<VerifyJwt>;
}

/** Resolves to `false`, or rejects, if the signature does not verify. */
type VerifyJwt = (token: string, key: KeyObject, alg: string) => Promise<boolean>;

const jose = createLazyImport('jose', async (): Promise<VerifyJwt> => {
  const { compactVerify } = await import('jose');
  // jose verifies off the event loop.
  return async (token, key, alg) => (await compactVerify(token, key, { algorithms: [alg] })) !== undefined;
});

const jsonwebtoken = createLazyImport('jsonwebtoken', async (): Promise<VerifyJwt> => {
  const { verify: verifyJwt } = (await import('jsonwebtoken')).default;
  const withoutTimes = { ignoreExpiration: true, ignoreNotBefore: true };
  return async (token, key, alg) => {
    if (!(await isSignedBy(key, alg, token))) return false;
    verifyJwt(token, key, { algorithms: [alg as Algorithm], ...withoutTimes });
    return true;
  };
});

const rsa: SignatureAlgorithm = { keyType: 'rsa', verifiedBy: jsonwebtoken };
const ed25519: SignatureAlgorithm = { keyType: 'ed25519', verifiedBy: jose };

/** Every accepted algorithm (RFC 7518, section 3.1; RFC 8037; RFC 9864). Any other is refused with `unsupported_algorithm`. */
const ALGORITHMS: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((alg) => [alg, rsa] as const),
  ['ES256', { keyType: 'ec', namedCurve: 'prime256v1', verifiedBy: jsonwebtoken }],
  ['ES384', { keyType: 'ec', namedCurve: 'secp384r1', verifiedBy: jsonwebtoken }],
  ['ES512', { keyType: 'ec', namedCurve: 'secp521r1', verifiedBy: jsonwebtoken }],
  ['EdDSA', ed25519],
  ['Ed25519', ed25519],
]);

/** The names of the accepted algorithms. */
export const ACCEPTED_ALGORITHMS: readonly string[] = [...ALGORITHMS.keys()];

export function isAcceptedAlgorithm(alg: string): boolean {
  return ALGORITHMS.has(alg);
}

/** True if a key can be used with this algorithm. The type of the key decides, so that a token cannot choose how it is verified. */
export function suitsAlgorithm(key: KeyObject, alg: string): boolean {
  const algorithm = ALGORITHMS.get(alg);
  if (algorithm === undefined || key.asymmetricKeyType !== algorithm.keyType) return false;
  return algorithm.namedCurve === undefined || key.asymmetricKeyDetails?.namedCurve === algorithm.namedCurve;
}

const verifyInQueue = createVerificationQueue();

/**
 * Checks the signature only; token-faults.ts checks the claims. Forgeries are detected off the event loop, since anyone can
 * send any number of them. A library then verifies what is left, so that our own code can refuse a token but never accept
 * one.
 *
 * @returns `bad_signature` or `unsupported_algorithm`; undefined for a good signature. It is not thrown: each function that an error passes
 * through costs some microseconds, and a flood has thousands of forgeries a second.
 * @throws {UpstreamError} `package_unavailable`, `too_many_failed_tokens`.
 */
export async function checkSignature(
  { token, alg }: Record<'token' | 'alg', string>,
  key: KeyObject,
): Promise<AuthError | undefined> {
  const algorithm = ALGORITHMS.get(alg);
  if (algorithm === undefined || !suitsAlgorithm(key, alg)) return new AuthError('unsupported_algorithm', { alg });
  // Outside the `try`: a library that cannot be loaded is not the token's fault.
  const verifyJwt = await algorithm.verifiedBy();
  let reason = 'it does not verify';
  try {
    if (await verifyInQueue(() => verifyJwt(token, key, alg))) return undefined;
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    // Form, algorithm and key were checked before, so only the signature can fail.
    reason = (error as Error).message;
  }
  return new AuthError('bad_signature', { alg, reason });
}

/**
 * Throws what {@link checkSignature} returns.
 *
 * @throws {AuthError} `bad_signature`, `unsupported_algorithm`.
 * @throws {UpstreamError} `package_unavailable`, `too_many_failed_tokens`.
 */
export async function verifySignature(jwt: Record<'token' | 'alg', string>, key: KeyObject): Promise<void> {
  const fault = await checkSignature(jwt, key);
  if (fault !== undefined) throw fault;
}

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };

/** RFC 7518, sections 3.3 to 3.5, in libuv's thread pool. Rejects if the signature cannot be parsed. */
function isSignedBy(key: KeyObject, alg: string, token: string): Promise<boolean> {
  const end = token.lastIndexOf('.');
  const signed = Buffer.from(token.slice(0, end));
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  return new Promise((resolve, reject) => {
    const how = alg.startsWith('PS') ? { key, ...PSS } : key;
    const hash = `sha${alg.slice(2)}`;
    verify(hash, signed, how, opensslSignature(signature, alg), (error, good) =>
      error ? reject(error) : resolve(good),
    );
  });
}

/** Converts an ECDSA signature to DER. Node's own conversion blocks the event loop for 35 µs on Node 24 (1 µs on Node 20). */
function opensslSignature(signature: Buffer, alg: string): Buffer {
  return alg.startsWith('ES') ? joseToDer(signature, alg) : signature;
}
