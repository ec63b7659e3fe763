import { createHash } from 'node:crypto';
import { assemble, type Signer } from './signer.js';

/** ASN.1 of SHA-256 before the digest in a signature (RFC 8017, section 9.2). */
const SHA_256 = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/**
 * An RSA key of any size and exponent, in numbers alone: OpenSSL takes long to make a large one.
 *
 * @param signers RSA keys whose primes it has.
 */
export function rsaKeyOf(signers: readonly Signer[], e: bigint) {
  const primes = signers.flatMap(({ privateKey }) => {
    const { p, q } = privateKey.export({ format: 'jwk' });
    return [fromBase64(p), fromBase64(q)];
  });
  const n = primes.reduce((product, prime) => product * prime, 1n);
  const d = inverse(
    e,
    primes.reduce((product, prime) => product * (prime - 1n), 1n),
  );
  const length = bytesOf(n).length;
  return {
    jwk: { kty: 'RSA', n: bytesOf(n).toString('base64url'), e: bytesOf(e).toString('base64url') },
    sign: (payload: Readonly<Record<string, unknown>>) =>
      assemble({ alg: 'RS256', typ: 'JWT' }, payload, (input) => {
        const digest = Buffer.concat([SHA_256, createHash('sha256').update(input).digest()]);
        const padding = Buffer.alloc(length - digest.length - 3, 0xff);
        const padded = Buffer.concat([Buffer.from([0, 1]), padding, Buffer.from([0]), digest]);
        const signature = power(BigInt(`0x${padded.toString('hex')}`), d, n);
        return Buffer.from(signature.toString(16).padStart(length * 2, '0'), 'hex');
      }),
  };
}

function fromBase64(text = ''): bigint {
  return BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`);
}

function bytesOf(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus;
    if (bit === '1') result = (result * base) % modulus;
  }
  return result;
}

/** Returns the inverse of a number (extended Euclidean algorithm). */
function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value, modulus, 1n, 0n];
  while (b !== 0n) [a, b, x, y] = [b, a % b, y, x - (a / b) * y];
  return ((x % modulus) + modulus) % modulus;
}
