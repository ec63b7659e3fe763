import { createHash, randomBytes } from 'node:crypto';
import { API_KEY_PREFIX } from './credential-form.js';

/** 256 bits: it cannot be guessed, so its hash needs neither salt nor rounds. */
const KEY_BYTES = 32;

/** Makes an API key. Only its hash should be stored. */
export function createApiKey(): { readonly key: string; readonly sha256: string } {
  const key = API_KEY_PREFIX + randomBytes(KEY_BYTES).toString('base64url');
  return { key, sha256: sha256Of(key) };
}

/** The SHA-256 of a key, as a policy has it. */
export function sha256Of(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
