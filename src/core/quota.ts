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
export interface Share {
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
export interface Refusal {
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
  readonly most: number;
  used: number;
  alive: number;
}

interface Place {
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
  readonly #places = new Set<Place>();

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#all = { cap: 'all', most: limits.maxSessions, used: 0, alive: 0 };
  }

  /** Takes a place for `caller`. Where a cap is reached, ends what no client attends; where clients attend all of it, refuses. */
  take(caller: Caller): Share | Refusal {
    const name = nameOf(caller);
    const own = this.#counts.get(name) ?? this.#count(caller);
    const counts = [own, this.#all];
    const ending = counts.find(({ alive, most }) => alive >= 2 * most);
    if (ending !== undefined) return { cap: ending.cap, isEnding: true };
    for (const { cap, used, most } of counts) {
      if (used >= most && !this.#makeRoom(caller, own, cap)) return { cap, isEnding: false };
    }
    this.#counts.set(name, own);
    const isAnonymous = caller.auth === undefined;
    return this.#share(name, counts, { own, isAnonymous, occupant: undefined, retire: () => undefined });
  }

  #count({ auth, isChecked }: Caller): Count {
    const { maxSessions, maxSessionsPerUser, maxAnonymousSessions } = this.#limits;
    const empty = { used: 0, alive: 0 };
    if (auth !== undefined) return { cap: 'user', most: maxSessionsPerUser, ...empty };
    if (isChecked) return { cap: 'anonymous', most: maxAnonymousSessions, ...empty };
    return { cap: 'all', most: maxSessions, ...empty };
  }

  #share(name: string, counts: readonly Count[], place: Place): Share {
    for (const count of counts) {
      count.used++;
      count.alive++;
    }
    this.#places.add(place);
    const less = (kind: 'used' | 'alive'): void => {
      for (const count of counts) count[kind]--;
      const { used, alive } = place.own;
      // A child may be gone before its session knows.
      if (used === 0 && alive === 0) this.#counts.delete(name);
    };
    return {
      occupy: (occupant, retire) => void Object.assign(place, { occupant, retire }),
      release: () => {
        this.#places.delete(place);
        less('used');
      },
      gone: () => less('alive'),
    };
  }

  /** Ends what was without a request for the longest time: the caller's own first, and for an anonymous caller nothing of a user. */
  #makeRoom({ auth }: Caller, own: Count, cap: Cap): boolean {
    let longest: Place | undefined;
    for (const place of this.#places) {
      const isAllowed = cap === own.cap ? place.own === own : auth !== undefined || place.isAnonymous;
      if (!isAllowed || place.occupant === undefined || place.occupant.attended) continue;
      if (longest === undefined || isSooner(place, longest, own)) longest = place;
    }
    longest?.retire();
    return longest !== undefined;
  }
}

function isSooner(place: Place, other: Place, own: Count): boolean {
  if ((place.own === own) !== (other.own === own)) return place.own === own;
  return (place.occupant?.lastUsed ?? 0) < (other.occupant?.lastUsed ?? 0);
}

/** The key under which a caller's places are counted: a user's name is JSON, so that no user is called as anonymous callers are. */
function nameOf({ auth, isChecked }: Caller): string {
  return userOf(auth) ?? (isChecked ? 'anonymous' : 'open');
}
