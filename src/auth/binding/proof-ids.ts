import { createHash } from 'node:crypto';
import { UpstreamError } from '../../core/errors.js';

export type ProofIds = ReturnType<typeof createProofIds>;

/** Bounds the memory to some 20 MB, and one client to a tenth of it; at the default window, some 1,000 proofs a second. */
const MOST: Readonly<{ total: number; each: number }> = Object.freeze({ total: 100_000, each: 10_000 });

/** All of them are looked at no more often than this. */
const SWEEP_EVERY_MS = 1_000;

interface Seen {
  readonly owner: string;
  /** Milliseconds since 1970: until then a proof is accepted by the time that it says of itself, whatever happens to the date. */
  readonly expiry: number;
}

/** The proofs seen within their window: each is good for one request (RFC 9449, section 11.1). */
export function createProofIds(windowSeconds: number, most = MOST) {
  // In order of arrival, which is that of expiry unless the date was put back.
  const seen = new Map<string, Seen>();
  const shares = new Map<string, number>();
  let sweptAt = Number.NEGATIVE_INFINITY;

  function isFull(owner: string): boolean {
    return seen.size >= most.total || (shares.get(owner) ?? 0) >= most.each;
  }

  /** Looks behind those that the date, once put back, keeps for long. */
  function sweep(now: number): void {
    if (performance.now() - sweptAt < SWEEP_EVERY_MS) return;
    sweptAt = performance.now();
    forgetExpired(now, true);
  }

  function forgetExpired(now: number, everywhere = false): void {
    for (const [id, { owner, expiry }] of seen) {
      if (expiry > now && everywhere) continue;
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
      // Hashed, since the client chooses the length. The key is part of it, so that no client can use up the ids of another one.
      const id = createHash('sha256').update(`${owner}\0${jti}`).digest('base64url');
      if (seen.has(id)) return false;
      if (isFull(owner)) sweep(now);
      if (isFull(owner)) throw new UpstreamError('proof_store_full', { retryAfterSeconds: windowSeconds });
      seen.set(id, { owner, expiry: now + windowSeconds * 1000 });
      shares.set(owner, (shares.get(owner) ?? 0) + 1);
      return true;
    },
  };
}
