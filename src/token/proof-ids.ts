import { createHash } from 'node:crypto';
import { UpstreamError } from '../errors.js';

/** The proofs seen within their window: each is good for one request (RFC 9449, section 11.1). */
export interface ProofIds {
  /**
   * Returns whether this is the first time.
   *
   * @throws {UpstreamError} `proof_store_full` where so many are remembered that one could be forgotten too early.
   */
  isFirst(owner: string, jti: string): boolean;
}

/** Bounds the memory to some 20 MB; at the default window, more than 1,000 proofs a second. */
const MOST_IDS = 100_000;

export function createProofIds(windowSeconds: number): ProofIds {
  // In order of arrival, and so of expiry.
  const expiries = new Map<string, number>();
  return {
    isFirst(owner, jti) {
      const now = Date.now();
      for (const [id, expiry] of expiries) {
        if (expiry > now) break;
        expiries.delete(id);
      }
      // Hashed, since the client chooses the length; with its key, so that nobody can use up somebody else's.
      const id = createHash('sha256').update(`${owner}\0${jti}`).digest('base64url');
      if (expiries.has(id)) return false;
      if (expiries.size >= MOST_IDS) throw new UpstreamError('proof_store_full', { retryAfterSeconds: windowSeconds });
      expiries.set(id, now + windowSeconds * 1000);
      return true;
    },
  };
}
