import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { AuthError, Evidence } from '../../core/errors.js';
import type { KeySet, KeySetMoment } from '../keys/key-set.js';

interface Entry {
  readonly refusal: AuthError;
  readonly keySet: KeySet;
  /** The moment at which its verification began. */
  readonly moment: KeySetMoment;
}

const MAX_BYTES = 16 * 1024 * 1024;
/** The entry itself, its hash, and the refusal without its evidence. */
const ENTRY_BYTES = 1_024;

/**
 * Remembers tokens with a bad signature, so that sending one again costs a hash and not a signature check. The key is the SHA-256 of the
 * whole token, never something that a good token could share with it. An entry counts only as long as the key set would give the same
 * answer: until its keys change, or until they would be fetched again for this token.
 */
export function createForgedTokens() {
  const entries = new LRUCache<string, Entry>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ refusal }) => ENTRY_BYTES + textBytesOf(refusal.evidence),
  });
  return {
    remember(token: string, entry: Entry): void {
      const { code, evidence } = entry.refusal;
      if (code === 'bad_signature' && isFlat(evidence)) entries.set(digestOf(token), entry);
    },
    /** Returns the refusal of a token that was found forged, and still is. */
    recall(token: string): AuthError | undefined {
      if (entries.size === 0) return undefined;
      const digest = digestOf(token);
      const entry = entries.get(digest);
      if (entry === undefined || entry.keySet.isUnchangedSince(entry.moment)) return entry?.refusal;
      entries.delete(digest);
      return undefined;
    },
  };
}

/** False if a claim in it is an object, whose size the client chose: such a token is verified each time. */
function isFlat(evidence: Evidence): boolean {
  return Object.values(evidence).every((value) => typeof value !== 'object');
}

function textBytesOf(evidence: Evidence): number {
  return Object.values(evidence).reduce((sum: number, value) => sum + 2 * String(value).length, 0);
}

function digestOf(token: string): string {
  return hash('sha256', token, 'base64');
}
