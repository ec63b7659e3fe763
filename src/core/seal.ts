import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';

/** Checks the type of each member of a sealed value. */
export type Shape<T> = { readonly [K in keyof T]-?: (value: unknown) => value is T[K] };

/** Encrypts state that clients carry: they can neither read nor change it. A value sealed for one purpose opens for no other. */
export interface Seal<Contents> {
  /**
   * @param lifetimeSeconds If left out, the value never expires.
   * @throws {SealTooLongError} If {@link open} would refuse the sealed value for its length.
   */
  close<P extends keyof Contents>(purpose: P, value: Contents[P], lifetimeSeconds?: number): string;
  /** Returns the value. Undefined if it was not sealed with these secrets for this purpose, was altered, has expired, or has another shape. */
  open<P extends keyof Contents>(purpose: P, text: string | undefined): Contents[P] | undefined;
}

/** A value is too long to be sealed for its purpose. */
export class SealTooLongError extends Error {}

const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Of values in URLs and cookies: no server accepts longer headers. */
const MAX_SEAL_LENGTH = 16_384;

/** The settings that differ between the seals of this package. */
interface SealSettings<Contents> {
  /** Says what the keys are for: with another one, the same secrets give other keys. */
  readonly derivation?: string;
  /** The characters that a sealed value may have, for purposes other than URLs and cookies. */
  readonly maxLengths?: { readonly [P in keyof Contents]?: number };
}

/**
 * Seals with AES-256-GCM and keys derived from the secrets (HKDF-SHA-256): the first secret seals, all open. It does not use encrypted
 * JWTs, since jose takes about ten times as long. The format must not change: sealed values must open after an update.
 *
 * @param secrets If empty, a random secret is used.
 * @param boundTo Resource, issuer and shared client. Values sealed for others do not open, even with the same secret.
 * @param shapes The members of the value for each purpose. Another version of this package may have sealed other members.
 */
export function createSeal<Contents>(
  secrets: readonly string[],
  boundTo: readonly (string | null)[],
  shapes: { readonly [P in keyof Contents]: Shape<Contents[P]> },
  { derivation = 'express-mcp-auth facade', maxLengths = {} }: SealSettings<Contents> = {},
): Seal<Contents> {
  const given = secrets.length === 0 ? [randomBytes(32)] : secrets;
  const keys = given.map((secret) => deriveKey(secret, derivation));
  const [sealing] = keys as [KeyObject];
  const contexts = new Map<keyof Contents, Buffer>();
  for (const purpose in shapes) contexts.set(purpose, Buffer.from(JSON.stringify([...boundTo, purpose])));
  const contextOf = (purpose: keyof Contents) => contexts.get(purpose) as Buffer;
  const isTooLong = (purpose: keyof Contents, { length }: string) => length > (maxLengths[purpose] ?? MAX_SEAL_LENGTH);

  return {
    close(purpose, value, lifetimeSeconds) {
      const expiresAt = lifetimeSeconds === undefined ? null : Math.floor(Date.now() / 1000) + lifetimeSeconds;
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealing, iv).setAAD(contextOf(purpose));
      const sealed = [iv, cipher.update(JSON.stringify([expiresAt, value])), cipher.final(), cipher.getAuthTag()];
      const text = Buffer.concat(sealed).toString('base64url');
      if (isTooLong(purpose, text)) throw new SealTooLongError(`${String(purpose)} is too long to be sealed`);
      return text;
    },
    open(purpose, text) {
      if (text === undefined || isTooLong(purpose, text)) return undefined;
      const sealed = Buffer.from(text, 'base64url');
      // Node decodes base64url leniently. Without this check, one sealed value could be written in many ways, as different client ids.
      if (sealed.length <= IV_BYTES + TAG_BYTES || sealed.toString('base64url') !== text) return undefined;
      for (const key of keys) {
        const opened = decipher(key, sealed, contextOf(purpose));
        if (opened === undefined) continue;
        const [expiresAt, value] = JSON.parse(opened) as [number | null, unknown];
        const isOver = expiresAt !== null && Date.now() >= expiresAt * 1000;
        return !isOver && hasShape(value, shapes[purpose]) ? value : undefined;
      }
      return undefined;
    },
  };
}

/** Returns a `KeyObject`: with a `Buffer` as the key, Node 24 takes three to five times as long for each value. */
function deriveKey(secret: string | Buffer, derivation: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', derivation, 32)));
}

function hasShape<T>(value: unknown, shape: Shape<T>): value is T {
  if (typeof value !== 'object' || value === null) return false;
  for (const name in shape) if (!shape[name](value[name as never])) return false;
  return true;
}

function decipher(key: KeyObject, sealed: Buffer, context: Buffer): string | undefined {
  const tagAt = sealed.length - TAG_BYTES;
  const decipherer = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipherer.setAAD(context).setAuthTag(sealed.subarray(tagAt));
  try {
    const opened = decipherer.update(sealed.subarray(IV_BYTES, tagAt));
    decipherer.final();
    return opened.toString();
  } catch {
    // The value was altered or sealed with another key.
    return undefined;
  }
}
