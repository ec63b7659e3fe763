import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

type Json = Readonly<Record<string, unknown>>;

/** Signs with node:crypto alone, so that it can make tokens that no library makes: malformed, forged and hostile ones. */
export interface Signer {
  readonly kid: string;
  readonly alg: string;
  /** The public key, as a member of a key set. */
  readonly jwk: Json;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Signs `payload` with a good header, over which `header` is merged. A string is used as raw JSON instead. */
  sign(payload: Json | string, header?: Json | string): string;
}

const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

let made = 0;

export function createSigner(options: { alg?: string; kid?: string; bits?: number } = {}): Signer {
  const { alg = 'ES256', kid = `key-${++made}`, bits = 2048 } = options;
  const { privateKey, publicKey } = generate(alg, bits);
  const signBytes = signatureOf(alg, privateKey);
  return {
    kid,
    alg,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' },
    privateKey,
    publicKey,
    sign: (payload, header = {}) =>
      assemble(typeof header === 'string' ? header : { alg, kid, typ: 'JWT', ...header }, payload, signBytes),
  };
}

/** Makes a token with any header, any payload and any signature. */
export function assemble(header: Json | string, payload: Json | string, signature: (input: string) => Buffer): string {
  const encode = (part: Json | string) =>
    Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${signature(input).toString('base64url')}`;
}

function generate(alg: string, bits: number): { privateKey: KeyObject; publicKey: KeyObject } {
  const namedCurve = CURVES[alg];
  if (namedCurve !== undefined) return generateKeyPairSync('ec', { namedCurve });
  if (alg === 'EdDSA' || alg === 'Ed25519') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('rsa', { modulusLength: bits });
}

/** Returns the signature function of an algorithm (RFC 7518, section 3) for any key: tests mix up keys and algorithms on purpose. */
export function signatureOf(alg: string, key: KeyObject): (input: string) => Buffer {
  const hash = `sha${alg.slice(2)}`;
  return (input) => {
    const data = Buffer.from(input);
    if (key.asymmetricKeyType === 'ed25519') return sign(null, data, key);
    if (alg.startsWith('ES')) return sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
    if (alg.startsWith('PS')) {
      const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
      return sign(hash, data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
    }
    return sign(hash, data, key);
  };
}

export function pemOf(key: KeyObject): string {
  return key.export(
    key.type === 'private' ? { format: 'pem', type: 'pkcs8' } : { format: 'pem', type: 'spki' },
  ) as string;
}
