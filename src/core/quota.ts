import type { AuthInfo } from './auth-info.js';
import { userOf } from './principal.js';

/** The caller that asks for a slot. */
export interface Caller {
  /** Undefined: an anonymous caller. */
  readonly auth: AuthInfo | undefined;
  /** True if an mcpAuth() checked the request. Anonymous callers then have their own limit, separate from that of each user. */
  readonly isChecked: boolean;
}

/** The user of a slot, such as a session. It can be ended for another caller while no client uses it. */
export interface Occupant {
  /** The time of the last request, on the clock of `performance.now()`. */
  readonly lastUsed: number;
  /** True if a client has an open stream or waits for an answer. */
  readonly isInUse: boolean;
}

/** A slot that is taken for one child, or for one session at a remote server. */
export interface Lease {
  /** Lets another caller take the slot while no client uses `occupant`. `retire` must end it, and call `release()` before it returns. */
  occupy(occupant: Occupant, retire: () => void): void;
  /** Frees the slot: its child or session is no longer used. A child may take some seconds to exit, but another one can start already. */
  release(): void;
  /** Says that the child has exited. For a session, it is called with `release()`. */
  gone(): void;
}

/** The limit that is reached: that of one user, that of anonymous callers behind an mcpAuth(), or that of all callers together. */
export type Cap = 'user' | 'anonymous' | 'all';

/** Returned if there is no free slot. */
export interface QuotaRefusal {
  readonly cap: Cap;
  /** True if slots become free as soon as ending children have exited; false if clients use all of them. */
  readonly isEnding: boolean;
}

export interface Limits {
  readonly maxSessions: number;
  readonly maxSessionsPerUser: number;
  readonly maxAnonymousSessions: number;
}

/** The slots that count towards one limit. */
interface Count {
  readonly cap: Cap;
  readonly max: number;
  used: number;
  alive: number;
}

interface Slot {
  readonly own: Count;
  readonly isAnonymous: boolean;
  occupant: Occupant | undefined;
  retire(): void;
}

/**
 * Limits the children or the remote sessions in use: in total, per user, and for anonymous callers behind an mcpAuth(). Up to twice as many
 * children may be alive, because a stopping child can take seconds to exit.
 */
export class Quota {
  readonly #limits: Limits;
  readonly #counts = new Map<string, Count>();
  readonly #all: Count;
  readonly #slots = new Set<Slot>();

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#all = { cap: 'all', max: limits.maxSessions, used: 0, alive: 0 };
  }

  /** Takes a slot for `caller`. At a limit, it ends an occupant that no client uses. Refuses if there is none, or if too many children are still ending. */
  take(caller: Caller): Lease | QuotaRefusal {
    const name = callerKeyOf(caller);
    const own = this.#counts.get(name) ?? this.#count(caller);
    const counts = [own, this.#all];
    const ending = counts.find(({ alive, max }) => alive >= 2 * max);
    if (ending !== undefined) return { cap: ending.cap, isEnding: true };
    for (const { cap, used, max } of counts) {
      if (used >= max && !this.#makeRoom(caller, own, cap)) return { cap, isEnding: false };
    }
    this.#counts.set(name, own);
    const isAnonymous = caller.auth === undefined;
    return this.#lease(name, counts, { own, isAnonymous, occupant: undefined, retire: () => undefined });
  }

  #count({ auth, isChecked }: Caller): Count {
    const { maxSessions, maxSessionsPerUser, maxAnonymousSessions } = this.#limits;
    const empty = { used: 0, alive: 0 };
    if (auth !== undefined) return { cap: 'user', max: maxSessionsPerUser, ...empty };
    if (isChecked) return { cap: 'anonymous', max: maxAnonymousSessions, ...empty };
    return { cap: 'all', max: maxSessions, ...empty };
  }

  #lease(name: string, counts: readonly Count[], slot: Slot): Lease {
    for (const count of counts) {
      count.used++;
      count.alive++;
    }
    this.#slots.add(slot);
    const decrement = (kind: 'used' | 'alive'): void => {
      for (const count of counts) count[kind]--;
      const { used, alive } = slot.own;
      // A child may exit before its session is released.
      if (used === 0 && alive === 0) this.#counts.delete(name);
    };
    return {
      occupy: (occupant, retire) => void Object.assign(slot, { occupant, retire }),
      release: () => {
        this.#slots.delete(slot);
        decrement('used');
      },
      gone: () => decrement('alive'),
    };
  }

  /** Ends the occupant that has had no request for the longest time: the caller's own first, and never a user's for an anonymous caller. */
  #makeRoom({ auth }: Caller, own: Count, cap: Cap): boolean {
    let longest: Slot | undefined;
    for (const slot of this.#slots) {
      const isAllowed = cap === own.cap ? slot.own === own : auth !== undefined || slot.isAnonymous;
      if (!isAllowed || slot.occupant === undefined || slot.occupant.isInUse) continue;
      if (longest === undefined || endsBefore(slot, longest, own)) longest = slot;
    }
    longest?.retire();
    return longest !== undefined;
  }
}

function endsBefore(slot: Slot, other: Slot, own: Count): boolean {
  if ((slot.own === own) !== (other.own === own)) return slot.own === own;
  return (slot.occupant?.lastUsed ?? 0) < (other.occupant?.lastUsed ?? 0);
}

/** Returns the key under which a caller is counted. A user's key is JSON, so it cannot equal that of anonymous callers. */
export function callerKeyOf({ auth, isChecked }: Caller): string {
  return userOf(auth) ?? (isChecked ? 'anonymous' : 'open');
}
