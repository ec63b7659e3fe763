import { hash, hkdfSync, timingSafeEqual } from 'node:crypto';
import { ownedId, type SessionOwner } from './session-owner.js';

/** Binds session ids to their owners, so that no process must remember who opened a session. */
export interface SessionSigner {
  /** Returns `id.signature`: 80 characters for a UUID. The same id and owner always get the same signature. */
  sign(id: string, owner: SessionOwner): string;
  /** Returns the id without its signature; undefined if the signature is for another owner, or made with none of the secrets. */
  verify(signed: string, owner: SessionOwner): string | undefined;
}

/** Characters of a SHA-256 in base64url. */
const SIGNATURE_LENGTH = 43;
/** Characters. A longer id is refused before any cryptography. */
const MAX_SIGNED_LENGTH = 4_096;

/** Creates a signer: HMAC-SHA-256 with keys derived from the secrets (HKDF-SHA-256). The first secret signs, all verify. */
export function createSessionSigner(secrets: readonly string[]): SessionSigner {
  const macs = secrets.map(createMac);
  const [mac] = macs;
  if (mac === undefined) throw new TypeError('createSessionSigner() needs a secret');
  return {
    sign: (id, owner) => `${id}.${mac(ownedId(id, owner))}`,
    verify(signed, owner) {
      const end = signed.length - SIGNATURE_LENGTH - 1;
      if (end < 1 || signed.length > MAX_SIGNED_LENGTH || signed[end] !== '.') return undefined;
      const id = signed.slice(0, end);
      const signature = signed.slice(end + 1);
      const text = ownedId(id, owner);
      return macs.some((each) => isSame(signature, each(text))) ? id : undefined;
    },
  };
}

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/**
 * Creates a function that returns the HMAC-SHA-256 (RFC 2104) of a string as base64url. It calls `hash()` twice: `createHmac()` takes three
 * times as long for such short strings, and its objects use memory outside of the heap.
 */
export function createMac(secret: string): (text: string) => string {
  // 64 hexadecimal digits fill a SHA-256 block. They are ASCII before and after the XOR, so the inner key can be a string prefix.
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'express-mcp-auth session ids', DIGEST_BYTES)).toString('hex');
  const padded = (pad: number) => Buffer.from(Buffer.from(key).map((byte) => byte ^ pad));
  const inner = padded(0x36).toString('latin1');
  const outer = Buffer.concat([padded(0x5c), Buffer.alloc(DIGEST_BYTES)]);
  return (text) => {
    outer.write(hash('sha256', inner + text, 'binary'), BLOCK_BYTES, 'binary');
    return hash('sha256', outer, 'base64url');
  };
}

// Compares the base64url strings, because several of them can decode to the same bytes.
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(given, 'latin1'), Buffer.from(expected, 'latin1'));
}
