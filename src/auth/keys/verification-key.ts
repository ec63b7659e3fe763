import { createPublicKey, type KeyObject } from 'node:crypto';
import { isRecord } from '../../http/json-object.js';
import { isAcceptedAlgorithm } from './signature.js';
import type { SkippedKey } from './skipped-keys.js';

/** A public key that may verify tokens. */
export interface VerificationKey {
  readonly kid: string | undefined;
  /** The only algorithm it is for, where its JWK says so. */
  readonly alg: string | undefined;
  readonly key: KeyObject;
  /** The same as SubjectPublicKeyInfo. */
  readonly pem: string;
  /** Equal for the same key under the same `kid` and `alg`, so that a refresh keeps the keys it finds again. */
  readonly identity: string;
}

type Jwk = Readonly<Record<string, unknown>>;

/** Reading a key takes some tenths of a millisecond, usable or not: with more keys than any issuer has, other requests would wait. */
const MAX_KEYS = 1_000;

/** RFC 7518, section 3.3: 2048 bits or more. */
const MIN_RSA_BITS = 2048;

/** Reads the keys of a JWKS (RFC 7517, section 5). One that cannot be used does not spoil the others: `skipped` says why. */
export async function readKeys(jwks: readonly unknown[]) {
  let candidates = 0;
  const read = await Promise.all(
    jwks.map((jwk, index) => {
      const reason = whyUnusable(jwk) ?? (++candidates > MAX_KEYS ? `comes after ${MAX_KEYS} others` : undefined);
      return readKey(jwk, index, reason);
    }),
  );
  return {
    keys: read.filter((item) => 'key' in item),
    skipped: read.filter((item) => 'why' in item),
  };
}

async function readKey(jwk: unknown, index: number, reason: string | undefined): Promise<VerificationKey | SkippedKey> {
  const { kid, alg } = (jwk ?? {}) as Jwk;
  const skip = (why: string) => ({ kid, position: index + 1, why, isExpected: isForEncryption(jwk) });
  if (reason !== undefined) return skip(reason);
  const pem = await publicPem(jwk as Jwk);
  if (pem === undefined) return skip('is broken, or of an unknown curve');
  const key = createPublicKey(pem);
  const weakness = whyWeak(key);
  if (weakness !== undefined) return skip(weakness);
  return {
    kid: kid as string | undefined,
    alg: alg as string | undefined,
    key,
    pem,
    identity: JSON.stringify([kid, alg, pem]),
  };
}

function whyWeak({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  if (asymmetricKeyType !== 'rsa') return undefined;
  const { modulusLength = 0, publicExponent = 1n } = asymmetricKeyDetails ?? {};
  if (modulusLength < MIN_RSA_BITS) return `has ${modulusLength} bits; ${MIN_RSA_BITS} are the least`;
  // With an exponent of 1, everything is its own signature.
  if (publicExponent < 3n || publicExponent % 2n === 0n) return 'has an exponent that no RSA key has';
  return undefined;
}

/** jwks-rsa turns one JWK at a time into a public key: asked for the whole set, it drops what it cannot use unnamed. */
async function publicPem({ key_ops: _allOfWhichItWouldNeed, ...jwk }: Jwk): Promise<string | undefined> {
  // Loaded with the first key: it require()s jose, an ES module, which Jest refuses while our own import of it goes on.
  const { default: jwksRsa } = await import('jwks-rsa');
  const client = jwksRsa({ cache: false, fetcher: async () => ({ keys: [jwk] }) });
  try {
    const [signingKey] = await client.getSigningKeys();
    return signingKey?.getPublicKey();
  } catch {
    // Its only reason is that no key was left; the caller names the key.
    return undefined;
  }
}

/** RFC 7517, section 4.2 and 4.3; RFC 7518, section 4.1. */
function isForEncryption(jwk: unknown): boolean {
  if (!isRecord(jwk)) return false;
  const { use, key_ops: operations, alg } = jwk;
  if (use !== undefined) return use === 'enc';
  if (Array.isArray(operations)) return operations.every((operation) => /^(?:de|en)crypt$|Key$|Bits$/.test(operation));
  return typeof alg === 'string' && /^(?:RSA-OAEP|RSA1_5|ECDH-ES)/.test(alg);
}

function whyUnusable(jwk: unknown): string | undefined {
  if (!isRecord(jwk)) return 'is not an object';
  const { kty, kid, use, key_ops: operations, alg, d } = jwk;
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP') return 'is not a public key (kty RSA, EC or OKP)';
  if (d !== undefined) return 'is a private key, which does not belong in a key set';
  if (kid !== undefined && typeof kid !== 'string') return 'has a kid that is not a string';
  if (use !== undefined && use !== 'sig') return 'is not for signatures (use)';
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'is not for verifying (key_ops)';
  }
  if (alg !== undefined && !(typeof alg === 'string' && isAcceptedAlgorithm(alg)))
    return 'has an alg not accepted here';
  return undefined;
}
