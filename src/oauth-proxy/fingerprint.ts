import { createHash } from 'node:crypto';

/** A short hash that replaces long values in sealed ones. */
export function fingerprint(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
}
