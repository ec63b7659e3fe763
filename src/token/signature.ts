import type { KeyObject } from 'node:crypto';
import { compactVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { AuthError } from '../errors.js';
import type { CompactJwt } from './compact-jwt.js';

interface SignatureAlgorithm {
  readonly keyType: 'rsa' | 'ec' | 'ed25519';
  /** OpenSSL's name of the curve, as in `KeyObject.asymmetricKeyDetails`. */
  readonly namedCurve?: string;
  readonly verifiedBy: 'jsonwebtoken' | 'jose';
}

const rsa: SignatureAlgorithm = { keyType: 'rsa', verifiedBy: 'jsonwebtoken' };
const ed25519: SignatureAlgorithm = { keyType: 'ed25519', verifiedBy: 'jose' };

/** Every accepted algorithm (RFC 7518, section 3.1; RFC 8037; RFC 9864). Whatever is not here is refused by name. */
const ALGORITHMS: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  ['RS256', rsa],
  ['RS384', rsa],
  ['RS512', rsa],
  ['PS256', rsa],
  ['PS384', rsa],
  ['PS512', rsa],
  ['ES256', { keyType: 'ec', namedCurve: 'prime256v1', verifiedBy: 'jsonwebtoken' }],
  ['ES384', { keyType: 'ec', namedCurve: 'secp384r1', verifiedBy: 'jsonwebtoken' }],
  ['ES512', { keyType: 'ec', namedCurve: 'secp521r1', verifiedBy: 'jsonwebtoken' }],
  ['EdDSA', ed25519],
  ['Ed25519', ed25519],
]);

export function isAcceptedAlgorithm(alg: string): boolean {
  return ALGORITHMS.has(alg);
}

/** Whether a key can have made a signature of this algorithm: the key decides, never the token alone. */
export function suitsAlgorithm(key: KeyObject, alg: string): boolean {
  const algorithm = ALGORITHMS.get(alg);
  if (algorithm === undefined || key.asymmetricKeyType !== algorithm.keyType) return false;
  return algorithm.namedCurve === undefined || key.asymmetricKeyDetails?.namedCurve === algorithm.namedCurve;
}

/**
 * Checks the signature alone; claims are checked in claims.ts.
 *
 * @throws {AuthError} `bad_signature`, `unsupported_algorithm`.
 */
export async function verifySignature({ token, alg }: CompactJwt, key: KeyObject): Promise<void> {
  const algorithm = ALGORITHMS.get(alg);
  if (algorithm === undefined || !suitsAlgorithm(key, alg)) throw new AuthError('unsupported_algorithm', { alg });
  try {
    if (algorithm.verifiedBy === 'jose') {
      await compactVerify(token, key, { algorithms: [alg] });
    } else {
      jsonwebtoken.verify(token, key, {
        algorithms: [alg as jsonwebtoken.Algorithm],
        ignoreExpiration: true,
        ignoreNotBefore: true,
      });
    }
  } catch (error) {
    // With form, algorithm and key settled before, all that is left to fail is the signature.
    throw new AuthError('bad_signature', { alg, reason: (error as Error).message });
  }
}
