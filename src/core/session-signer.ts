import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { SessionOwner } from './session-owner.js';

/** Binds session ids to their owners, so that a session needs no memory of who opened it. */
export interface SessionSigner {
  /** `id.signature`: 80 characters for a UUID. The same id of the same owner is always signed in the same way. */
  sign(id: string, owner: SessionOwner): string;
  /** The id without its signature; undefined where another owner's id, or none of the secrets, made the signature. */
  verify(signed: string, owner: SessionOwner): string | undefined;
}

/** Base64url of a SHA-256. */
const SIGNATURE_LENGTH = 43;
/** Node takes 16 KB of headers in all. A longer id costs no cryptography. */
const MAX_SIGNED_LENGTH = 4_096;

/** HMAC-SHA-256 with keys derived from the secrets (HKDF-SHA-256): the first signs, all verify. */
export function createSessionSigner(secrets: readonly string[]): SessionSigner {
  const keys = secrets.map(deriveKey);
  const [signingKey] = keys;
  if (signingKey === undefined) throw new TypeError('createSessionSigner() needs a secret');
  return {
    sign: (id, owner) => `${id}.${signatureOf(signingKey, id, owner)}`,
    verify(signed, owner) {
      const end = signed.length - SIGNATURE_LENGTH - 1;
      if (end < 1 || signed.length > MAX_SIGNED_LENGTH || signed[end] !== '.') return undefined;
      const id = signed.slice(0, end);
      const signature = signed.slice(end + 1);
      return keys.some((key) => isSame(signature, signatureOf(key, id, owner))) ? id : undefined;
    },
  };
}

/** As a `KeyObject`: with a `Buffer` for a key, Node 24 takes seven times as long. */
function deriveKey(secret: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'express-mcp-auth session ids', 32)));
}

// A header has no line ends, so that no other id and owner give the same text.
function signatureOf(key: KeyObject, id: string, owner: SessionOwner): string {
  return createHmac('sha256', key).update(`${id}\n${owner}`).digest('base64url');
}

// The texts are compared, not the bytes they stand for: some bytes could be written in several ways.
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(given, 'latin1'), Buffer.from(expected, 'latin1'));
}
