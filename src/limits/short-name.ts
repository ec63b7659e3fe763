import { createHash } from 'node:crypto';

/** Characters of a name or a key. A longer one is hashed, since callers choose parts of it. */
const MAX_LENGTH = 256;

/** Returns a name that takes little memory: itself, or its hash. */
export function shorten(name: string): string {
  return name.length <= MAX_LENGTH ? name : createHash('sha256').update(name).digest('base64url');
}
