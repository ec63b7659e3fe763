import { createPublicKey, type KeyObject } from 'node:crypto';
import { isRecord } from '../../http/json-object.js';
import { isAcceptedAlgorithm, suitsAlgorithm } from './signature.js';
import type { SkippedKey } from './skipped-keys.js';

/** A public key that may verify tokens. */
export interface VerificationKey {
  readonly kid: string | undefined;
  /** The only algorithm that the key is for, if its JWK names one. */
  readonly alg: string | undefined;
  /** The issuer that the JWK names. Entra ID does so in the key set for all tenants. */
  readonly issuer: string | undefined;
  readonly key: KeyObject;
  /** The same key as PEM (SubjectPublicKeyInfo). */
  readonly pem: string;
  /** Equal for the same key under the same `kid`, `alg` and issuer, so that a refresh keeps the keys it finds again. */
  readonly identity: string;
}

type Jwk = Readonly<Record<string, unknown>>;

/** Reading a key takes some tenths of a millisecond, even if it turns out unusable: a larger set would delay other requests. */
const MAX_KEYS = 1_000;

/** RFC 7518, section 3.3: 2048 bits or more. */
const MIN_RSA_BITS = 2048;

/** Reads the keys of a JWKS (RFC 7517, section 5). Skips unusable keys; `skipped` says why. */
export async function readKeys(jwks: readonly unknown[]) {
  let candidates = 0;
  const read = await Promise.all(
    jwks.map((jwk, index) => {
      const reason =
        whyUnusable(jwk) ?? (++candidates > MAX_KEYS ? `comes after the first ${MAX_KEYS} keys` : undefined);
      return readKey(jwk, index, reason);
    }),
  );
  return {
    keys: read.filter((item) => 'key' in item),
    skipped: read.filter((item) => 'why' in item),
  };
}

async function readKey(jwk: unknown, index: number, reason: string | undefined): Promise<VerificationKey | SkippedKey> {
  const { kid, alg, issuer: named } = (jwk ?? {}) as Jwk;
  const skip = (why: string) => ({ kid, position: index + 1, why, isExpected: isForEncryption(jwk) });
  if (reason !== undefined) return skip(reason);
  const pem = await publicPem(jwk as Jwk);
  if (pem === undefined) return skip('is malformed, or uses an unsupported curve');
  const key = createPublicKey(pem);
  const weakness = whyWeak(key);
  if (weakness !== undefined) return skip(weakness);
  const issuer = typeof named === 'string' ? named : undefined;
  return {
    kid: kid as string | undefined,
    alg: alg as string | undefined,
    ...{ issuer, key, pem },
    identity: JSON.stringify([kid, alg, pem, issuer]),
  };
}

function whyWeak({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  if (asymmetricKeyType !== 'rsa') return undefined;
  const { modulusLength = 0, publicExponent = 1n } = asymmetricKeyDetails ?? {};
  if (modulusLength < MIN_RSA_BITS) return `has ${modulusLength} bits; at least ${MIN_RSA_BITS} are required`;
  // With an exponent of 1, every message is its own signature.
  if (publicExponent < 3n || publicExponent % 2n === 0n) return 'has an invalid RSA exponent';
  return undefined;
}

/**
 * Converts one JWK with jwks-rsa, which drops unusable keys of a larger set without naming them. Without `key_ops`, because
 * WebCrypto refuses a public key whose `key_ops` allow more than `verify`.
 */
async function publicPem({ key_ops: _keyOps, ...jwk }: Jwk): Promise<string | undefined> {
  // jwks-rsa require()s jose, an ES module. While an import of jose is pending, in this package or in the application, Node refuses that for
  // the rest of the process. So jose is imported first.
  await import('jose');
  const { default: jwksRsa } = await import('jwks-rsa');
  const client = jwksRsa({ cache: false, fetcher: async () => ({ keys: [jwk] }) });
  try {
    const [signingKey] = await client.getSigningKeys();
    return signingKey?.getPublicKey();
  } catch {
    // jwks-rsa throws only if no key is left. The caller reports which key that was.
    return undefined;
  }
}

/** True if a key may verify a JWT that is signed with this algorithm: the JWK allows it, and the key is of its type. */
export function isForAlgorithm(key: VerificationKey, alg: string): boolean {
  // `EdDSA` and `Ed25519` name the same algorithm (RFC 9864, section 2.2), so the key's own type decides.
  const declared = key.alg === undefined || key.alg === alg || key.key.asymmetricKeyType === 'ed25519';
  return declared && suitsAlgorithm(key.key, alg);
}

/** RFC 7517, section 4.2 and 4.3; RFC 7518, section 4.1. */
function isForEncryption(jwk: unknown): boolean {
  if (!isRecord(jwk)) return false;
  const { use, key_ops: operations, alg } = jwk;
  if (use !== undefined) return use === 'enc';
  if (Array.isArray(operations))
    return operations.every((each) => typeof each === 'string' && /^(?:de|en)crypt$|Key$|Bits$/.test(each));
  return typeof alg === 'string' && /^(?:RSA-OAEP|RSA1_5|ECDH-ES)/.test(alg);
}

function whyUnusable(jwk: unknown): string | undefined {
  if (!isRecord(jwk)) return 'is not an object';
  const { kty, kid, use, key_ops: operations, alg, d } = jwk;
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP') return 'is not a public key (kty RSA, EC or OKP)';
  if (d !== undefined) return 'is a private key; a key set must contain public keys only';
  if (kid !== undefined && typeof kid !== 'string') return 'has a kid that is not a string';
  if (use !== undefined && use !== 'sig') return 'is not for signatures (use)';
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'is not for verifying (key_ops)';
  }
  if (alg !== undefined && !(typeof alg === 'string' && isAcceptedAlgorithm(alg)))
    return 'has an alg that is not accepted here';
  return undefined;
}
