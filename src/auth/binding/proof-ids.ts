import { createHash } from 'node:crypto';
import { UpstreamError } from '../../core/errors.js';
import type { GuardedStore } from '../../store/guarded-store.js';
import type { Awaitable, Store } from '../../store/store.js';
import type { CountedUses } from './counted-uses.js';
import { type GroupsOf, type MaxProofs, ProofShares } from './proof-shares.js';

/** Remembers the proofs that were used. */
export interface ProofIds {
  /**
   * Returns true the first time that `owner` uses the id `jti`.
   *
   * @param uses Those of the request. A use that was counted for the same request is the first one still.
   * @throws {UpstreamError} `proof_store_full`, or `store_unavailable`: then it is not known if the proof was used before.
   */
  isFirst(owner: string, jti: string, uses?: CountedUses): Awaitable<boolean>;
}

/** Limits the memory to about 20 MB, and one client to a tenth of it. At the default window that is about 800 proofs a second. */
export const MAX_PROOFS: MaxProofs = Object.freeze({ total: 100_000, each: 10_000 });

/** Minimum time between two sweeps of all entries. */
const SWEEP_EVERY_MS = 1_000;

interface Seen {
  readonly owner: string;
  /** Milliseconds since 1970: the proof's own `iat` is a date too. */
  readonly expiry: number;
  /** The same on the clock of `performance.now()`. Both must pass: a date that was wrong for a while must not free the id. */
  readonly until: number;
}

/**
 * Remembers the proofs seen within their window, so that each is accepted for one request only (RFC 9449, section 11.1).
 *
 * @param groupsOf Names the groups of owners that share the memory with each other before they share it with others.
 */
export function createProofIds(windowSeconds: number, max = MAX_PROOFS, groupsOf: GroupsOf = () => []) {
  // In order of arrival, which is also the order of expiry unless the date was set back.
  const seen = new Map<string, Seen>();
  const shares = new ProofShares(max, groupsOf);
  let sweptAt = Number.NEGATIVE_INFINITY;

  /** Checks all entries: once the date was set back, expired ones may follow ones that expire much later. */
  function sweep(now: number): void {
    if (performance.now() - sweptAt < SWEEP_EVERY_MS) return;
    sweptAt = performance.now();
    forgetExpired(now, true);
  }

  function forgetExpired(now: number, everywhere = false): void {
    for (const [id, { owner, expiry, until }] of seen) {
      const isNeeded = expiry > now || until > performance.now();
      if (isNeeded && everywhere) continue;
      if (isNeeded) return;
      seen.delete(id);
      shares.remove(owner);
    }
  }

  return {
    /**
     * Returns true if this is the first request in which `owner` uses the id `jti`, however often it is asked about that request.
     *
     * @throws {UpstreamError} `proof_store_full` when there is no room: to drop an older id would let its proof be replayed.
     */
    isFirst(owner: string, jti: string, uses?: CountedUses): boolean {
      const now = Date.now();
      forgetExpired(now);
      const id = idOf(owner, jti);
      if (seen.has(id)) return uses?.has(seen, id) === true;
      if (shares.isFull(owner)) sweep(now);
      if (shares.isFull(owner)) throw new UpstreamError('proof_store_full', { retryAfterSeconds: windowSeconds });
      const windowMs = windowSeconds * 1_000;
      seen.set(id, { owner, expiry: now + windowMs, until: performance.now() + windowMs });
      shares.add(owner);
      uses?.add(seen, id);
      return true;
    },
  };
}

/**
 * Remembers proofs in a store that replicas share. This process also remembers the proofs that it has seen: so one client cannot fill the
 * store, and none of these proofs is accepted again if the store loses its data.
 *
 * @param guarded The same store, guarded.
 * @param keepSeconds The longest time for which any replica may accept a proof. The clocks of replicas may differ.
 */
export function createSharedProofIds(
  own: ProofIds,
  store: Store,
  guarded: GuardedStore,
  keepSeconds: number,
): ProofIds {
  return {
    async isFirst(owner, jti, uses) {
      if (!(await own.isFirst(owner, jti, uses))) return false;
      const id = idOf(owner, jti);
      if (uses?.has(store, id) === true) return true;
      const isFirst = await guarded.add(`proof:${id}`, '1', keepSeconds * 1_000);
      if (isFirst) uses?.add(store, id);
      return isFirst;
    },
  };
}

/** Hashed, because the client chooses the length. The owner is part of the hash, so that a client cannot use up another client's ids. */
function idOf(owner: string, jti: string): string {
  return createHash('sha256').update(`${owner}\0${jti}`).digest('base64url');
}
