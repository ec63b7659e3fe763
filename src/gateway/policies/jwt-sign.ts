import { createPrivateKey, type KeyObject } from 'node:crypto';
import { createLazyImport } from '../../core/lazy-import.js';
import type { JwtSignConfig } from '../config/backend-auth.js';
import { resolveText } from '../config/text-source.js';
import type { InputFiles } from '../input-files.js';
import { atPlace, StartupError } from '../startup-error.js';

const loadJose = createLazyImport('jose', () => import('jose'));

/** The clock of a target may be slow. agentgateway writes the same `iat`. */
const BACKDATED_SECONDS = 10;

/** The keys that each algorithm signs with (RFC 7518, section 3.1). */
const KEYS: Readonly<Record<JwtSignConfig['alg'], string>> = {
  RS256: 'rsa',
  RS384: 'rsa',
  RS512: 'rsa',
  PS256: 'rsa',
  ES256: 'prime256v1',
  ES384: 'secp384r1',
};
const NAMES: Readonly<Record<string, string>> = {
  rsa: 'an RSA key of at least 2048 bits',
  prime256v1: 'an EC key on P-256',
  secp384r1: 'an EC key on P-384',
};

/** Bits (RFC 7518, section 3.3). */
const MIN_RSA_BITS = 2_048;

/** Makes a JWT for a target. */
export type JwtSigner = () => Promise<string>;

/**
 * Creates the signer of `jwtSign`. Each request gets a JWT of its own, as from agentgateway.
 *
 * @throws {StartupError} If the key cannot be used. The message does not quote it.
 */
export function createJwtSigner(
  { signingKey, alg, kid, claims, ttlSeconds, at }: JwtSignConfig,
  files: InputFiles,
): JwtSigner {
  const key = atPlace(`${at}.signingKey`, () => requireKey(resolveText(signingKey, files), alg));
  const header = { alg, typ: 'JWT', ...(kid !== undefined && { kid }) };
  return async () => {
    const { SignJWT } = await loadJose();
    const now = Math.floor(Date.now() / 1_000);
    const times = { iat: now - BACKDATED_SECONDS, exp: now + ttlSeconds };
    return new SignJWT({ ...claims, ...times }).setProtectedHeader(header).sign(key);
  };
}

function requireKey(pem: string, alg: JwtSignConfig['alg']): KeyObject {
  const wanted = KEYS[alg];
  const key = privateKeyIn(pem);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key ?? {};
  const isRsa = type === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS;
  if (key !== undefined && (wanted === 'rsa' ? isRsa : details?.namedCurve === wanted)) return key;
  throw new StartupError(`must be a private key in PEM, and for ${alg} ${NAMES[wanted]}`);
}

function privateKeyIn(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // The error of Node may quote the key.
    return undefined;
  }
}
