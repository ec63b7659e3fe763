import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** What a sealed value is for; one sealed for one purpose opens for no other. */
export type Purpose = 'client' | 'login' | 'code' | 'refresh_token' | 'consent' | 'browser';

/** Lets others carry our state: they can neither read it nor change it. */
export interface Seal {
  /** @param lifetimeSeconds Left out: it never expires. */
  close(purpose: Purpose, value: unknown, lifetimeSeconds?: number): string;
  /** Undefined for what was not sealed here for this purpose, was altered, or has expired. */
  open(purpose: Purpose, text: string | undefined): unknown;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
const LONGEST_SEAL = 16_384;

/**
 * AES-256-GCM with keys derived from the secrets (HKDF-SHA-256): the first seals, all open.
 *
 * @param secrets None: a random one.
 * @param boundTo Seals of another resource, issuer or shared client do not open, even with the same secret.
 */
export function createSeal(secrets: readonly string[], boundTo: readonly (string | null)[]): Seal {
  const given = secrets.length === 0 ? [randomBytes(32)] : secrets;
  const keys = given.map((secret) => Buffer.from(hkdfSync('sha256', secret, '', 'express-mcp-auth facade', 32)));
  const [sealing] = keys as [Buffer];
  const contextOf = (purpose: Purpose) => Buffer.from(JSON.stringify([...boundTo, purpose]));

  return {
    close(purpose, value, lifetimeSeconds) {
      const expiresAt = lifetimeSeconds === undefined ? null : Math.floor(Date.now() / 1000) + lifetimeSeconds;
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealing, iv).setAAD(contextOf(purpose));
      const sealed = [iv, cipher.update(JSON.stringify([expiresAt, value])), cipher.final(), cipher.getAuthTag()];
      return Buffer.concat(sealed).toString('base64url');
    },
    open(purpose, text) {
      if (text === undefined || text.length > LONGEST_SEAL) return undefined;
      const sealed = Buffer.from(text, 'base64url');
      // Node decodes leniently: without this, one seal could be written in many ways, and would be many client ids.
      if (sealed.length <= IV_BYTES + TAG_BYTES || sealed.toString('base64url') !== text) return undefined;
      for (const key of keys) {
        const opened = decipher(key, sealed, contextOf(purpose));
        if (opened === undefined) continue;
        const [expiresAt, value] = JSON.parse(opened) as [number | null, unknown];
        return expiresAt === null || Date.now() < expiresAt * 1000 ? value : undefined;
      }
      return undefined;
    },
  };
}

function decipher(key: Buffer, sealed: Buffer, context: Buffer): string | undefined {
  const tagAt = sealed.length - TAG_BYTES;
  const decipherer = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipherer.setAAD(context).setAuthTag(sealed.subarray(tagAt));
  try {
    return decipherer.update(sealed.subarray(IV_BYTES, tagAt), undefined, 'utf8') + decipherer.final('utf8');
  } catch {
    // Altered, or sealed with another key: there is nothing more to say of it.
    return undefined;
  }
}
