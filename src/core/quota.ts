import type { AuthInfo } from './auth-info.js';
import { userOf } from './principal.js';

/** The caller that asks for a place. */
export interface Caller {
  /** Undefined: an anonymous caller. */
  readonly auth: AuthInfo | undefined;
  /** True if an mcpAuth() decided on the request: anonymous callers then have a share of their own beside that of users. */
  readonly isChecked: boolean;
}

/** The user of a place, such as a session. It loses the place to another caller while no client attends it. */
export interface Occupant {
  /** When a client last was here, on the clock of `performance.now()`. */
  readonly lastUsed: number;
  /** True if a client has a stream or waits for an answer. */
  readonly attended: boolean;
}

/** A child in use. */
export interface Lease {
  /** Lets another caller take the place while `occupant` is not attended: `retire` ends it, and releases this share before it returns. */
  occupy(occupant: Occupant, retire: () => void): void;
  /** Says that the child is no longer used. It may live on for some seconds, in which another one may take its place. */
  release(): void;
  /** Nothing is left of it. */
  gone(): void;
}

/** The cap that is reached: that of one user, that of anonymous callers beside known ones, or that of all together. */
export type Cap = 'user' | 'anonymous' | 'all';

/** Why there is no place. */
export interface QuotaRefusal {
  readonly cap: Cap;
  /** True if places become free as soon as children have ended; false if clients attend all of them. */
  readonly isEnding: boolean;
}

export interface Limits {
  readonly maxSessions: number;
  readonly maxSessionsPerUser: number;
  readonly maxAnonymousSessions: number;
}

/** The places that count together. */
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
 * How many children may be in use: by all, by one user, and by anonymous callers beside known ones. Twice as many may be alive,
 * since those that do not want to end outlive their use.
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

  /** Takes a place for `caller`. Where a cap is reached, ends what no client attends; where clients attend all of it, refuses. */
  take(caller: Caller): Lease | QuotaRefusal {
    const name = nameOf(caller);
    const own = this.#counts.get(name) ?? this.#count(caller);
    const counts = [own, this.#all];
    const ending = counts.find(({ alive, max: most }) => alive >= 2 * most);
    if (ending !== undefined) return { cap: ending.cap, isEnding: true };
    for (const { cap, used, max: most } of counts) {
      if (used >= most && !this.#makeRoom(caller, own, cap)) return { cap, isEnding: false };
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
    const less = (kind: 'used' | 'alive'): void => {
      for (const count of counts) count[kind]--;
      const { used, alive } = slot.own;
      // A child may be gone before its session knows.
      if (used === 0 && alive === 0) this.#counts.delete(name);
    };
    return {
      occupy: (occupant, retire) => void Object.assign(slot, { occupant, retire }),
      release: () => {
        this.#slots.delete(slot);
        less('used');
      },
      gone: () => less('alive'),
    };
  }

  /** Ends what was without a request for the longest time: the caller's own first, and for an anonymous caller nothing of a user. */
  #makeRoom({ auth }: Caller, own: Count, cap: Cap): boolean {
    let longest: Slot | undefined;
    for (const slot of this.#slots) {
      const isAllowed = cap === own.cap ? slot.own === own : auth !== undefined || slot.isAnonymous;
      if (!isAllowed || slot.occupant === undefined || slot.occupant.attended) continue;
      if (longest === undefined || isSooner(slot, longest, own)) longest = slot;
    }
    longest?.retire();
    return longest !== undefined;
  }
}

function isSooner(slot: Slot, other: Slot, own: Count): boolean {
  if ((slot.own === own) !== (other.own === own)) return slot.own === own;
  return (slot.occupant?.lastUsed ?? 0) < (other.occupant?.lastUsed ?? 0);
}

/** The key under which a caller's places are counted: a user's name is JSON, so that no user is called as anonymous callers are. */
function nameOf({ auth, isChecked }: Caller): string {
  return userOf(auth) ?? (isChecked ? 'anonymous' : 'open');
}
