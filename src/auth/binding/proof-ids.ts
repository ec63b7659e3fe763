import { createHash } from 'node:crypto';
import { UpstreamError } from '../../core/errors.js';

export type ProofIds = ReturnType<typeof createProofIds>;

/** Bounds the memory to some 20 MB, and one client to a tenth of it; at the default window, some 1,000 proofs a second. */
const MOST: Readonly<{ total: number; each: number }> = Object.freeze({ total: 100_000, each: 10_000 });

interface Seen {
  readonly owner: string;
  /** Milliseconds since 1970. */
  readonly expiry: number;
}

/** The proofs seen within their window: each is good for one request (RFC 9449, section 11.1). */
export function createProofIds(windowSeconds: number, most = MOST) {
  // In order of arrival, and so of expiry.
  const seen = new Map<string, Seen>();
  const shares = new Map<string, number>();

  function forgetExpired(now: number): void {
    for (const [id, { owner, expiry }] of seen) {
      if (expiry > now) return;
      seen.delete(id);
      const share = (shares.get(owner) ?? 1) - 1;
      if (share === 0) shares.delete(owner);
      else shares.set(owner, share);
    }
  }

  return {
    /**
     * Returns whether this is the first time.
     *
     * @throws {UpstreamError} `proof_store_full` where so many are remembered that one could be forgotten too early.
     */
    isFirst(owner: string, jti: string): boolean {
      const now = Date.now();
      forgetExpired(now);
      // Hashed, since the client chooses the length; with its key, so that nobody can use up somebody else's.
      const id = createHash('sha256').update(`${owner}\0${jti}`).digest('base64url');
      if (seen.has(id)) return false;
      const share = shares.get(owner) ?? 0;
      if (seen.size >= most.total || share >= most.each) {
        throw new UpstreamError('proof_store_full', { retryAfterSeconds: windowSeconds });
      }
      seen.set(id, { owner, expiry: now + windowSeconds * 1000 });
      shares.set(owner, share + 1);
      return true;
    },
  };
}
