import { hash, hkdfSync, timingSafeEqual } from 'node:crypto';
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
  const macs = secrets.map(createMac);
  const [mac] = macs;
  if (mac === undefined) throw new TypeError('createSessionSigner() needs a secret');
  return {
    sign: (id, owner) => `${id}.${mac(textOf(id, owner))}`,
    verify(signed, owner) {
      const end = signed.length - SIGNATURE_LENGTH - 1;
      if (end < 1 || signed.length > MAX_SIGNED_LENGTH || signed[end] !== '.') return undefined;
      const id = signed.slice(0, end);
      const signature = signed.slice(end + 1);
      const text = textOf(id, owner);
      return macs.some((each) => isSame(signature, each(text))) ? id : undefined;
    },
  };
}

// A header has no line ends, so that no other id and owner give the same text.
function textOf(id: string, owner: SessionOwner): string {
  return `${id}\n${owner}`;
}

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/**
 * HMAC-SHA-256 (RFC 2104) as base64url, from two one-shot hashes: `createHmac()` makes objects with memory outside of the heap, and takes
 * three times as long for texts as short as these.
 */
export function createMac(secret: string): (text: string) => string {
  // 64 digits fill the block of a SHA-256. All of them are ASCII, and so is what they become: it can stand in front of a text.
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'express-mcp-auth session ids', DIGEST_BYTES)).toString('hex');
  const padded = (pad: number) => Buffer.from(Buffer.from(key).map((byte) => byte ^ pad));
  const inner = padded(0x36).toString('latin1');
  const outer = Buffer.concat([padded(0x5c), Buffer.alloc(DIGEST_BYTES)]);
  return (text) => {
    outer.write(hash('sha256', inner + text, 'binary'), BLOCK_BYTES, 'binary');
    return hash('sha256', outer, 'base64url');
  };
}

// The texts are compared, not the bytes they stand for: some bytes could be written in several ways.
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(given, 'latin1'), Buffer.from(expected, 'latin1'));
}
