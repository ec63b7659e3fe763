import { createHash } from 'node:crypto';
import type { SessionOwner } from './session-owner.js';

/** One remembered session. */
interface Entry {
  readonly key: string;
  readonly owner: string;
  readonly shelf: Shelf;
  /** A server has answered for this id without an error. */
  isConfirmed: boolean;
  /** Requests whose answers decide whether an unconfirmed claim stays. */
  undecided: number;
}

/** The sessions of one user, the longest unused first. */
interface Shelf {
  readonly user: string;
  readonly entries: Map<string, Entry>;
}

/** Settles, once, whether the owner who named an id keeps it. */
export type Claim = (isKept: boolean) => void;

export interface SessionLimits {
  readonly maxSessions: number;
  readonly maxSessionsPerUser: number;
}

const LIMITS: SessionLimits = { maxSessions: 65_536, maxSessionsPerUser: 1_024 };

/** Characters. A longer text is remembered as its digest: what clients send must not fill the memory. */
const MAX_TEXT = 200;

/**
 * Who each session belongs to, as far as this process knows. Bounded: a user whose share is full loses the longest unused session of
 * this user, and where all shares together are full, the user with the most sessions loses one. So a caller who names thousands of ids
 * takes nothing from the others.
 */
export class SessionOwners {
  readonly #limits: SessionLimits;
  readonly #byId = new Map<string, Entry>();
  readonly #shelves = new Map<string, Shelf>();
  /** The shelves by the number of their sessions. */
  readonly #bySize = new Map<number, Set<Shelf>>();
  #maxSize = 0;

  constructor(limits: SessionLimits = LIMITS) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#byId.size;
  }

  /**
   * Looks up an id that a request names. An unknown one belongs to the owner who named it, for as long as the answers to this
   * owner's requests are no errors.
   *
   * @param user Whose share the session counts in.
   */
  name(id: string, owner: SessionOwner, user: () => string): 'known' | 'foreign' | Claim {
    const entry = this.#entryOf(id, owner, user);
    if (entry.owner !== shorten(owner)) return 'foreign';
    touch(entry);
    if (entry.isConfirmed) return 'known';
    entry.undecided++;
    return (isKept) => {
      entry.undecided--;
      if (isKept) entry.isConfirmed = true;
      else if (!entry.isConfirmed && entry.undecided === 0) this.#remove(entry);
    };
  }

  /** Gives `id` to the owner to whom the server handed it out. False if it belongs to another owner already. */
  assign(id: string, owner: SessionOwner, user: () => string): boolean {
    const entry = this.#entryOf(id, owner, user);
    if (entry.owner !== shorten(owner)) return false;
    entry.isConfirmed = true;
    return true;
  }

  #entryOf(id: string, owner: SessionOwner, user: () => string): Entry {
    const key = keyOf(id);
    return this.#byId.get(key) ?? this.#add(key, shorten(owner), shorten(user()));
  }

  #add(key: string, owner: string, user: string): Entry {
    const known = this.#shelves.get(user);
    if (known !== undefined && known.entries.size >= this.#limits.maxSessionsPerUser) this.#removeOldest(known);
    else if (this.size >= this.#limits.maxSessions) this.#removeOldest(this.#fullest());
    const shelf = this.#shelves.get(user) ?? { user, entries: new Map() };
    const entry = { key, owner, shelf, isConfirmed: false, undecided: 0 };
    this.#byId.set(key, entry);
    this.#resize(shelf, () => shelf.entries.set(key, entry));
    return entry;
  }

  #remove(entry: Entry): void {
    // One that made room meanwhile is gone already, and its id may have another owner.
    if (this.#byId.get(entry.key) !== entry) return;
    this.#byId.delete(entry.key);
    this.#resize(entry.shelf, () => entry.shelf.entries.delete(entry.key));
  }

  #removeOldest(shelf: Shelf): void {
    for (const entry of shelf.entries.values()) {
      this.#remove(entry);
      return;
    }
  }

  #fullest(): Shelf {
    const [shelf] = this.#bySize.get(this.#maxSize) ?? [];
    if (shelf === undefined) throw new Error('SessionOwners: no session to forget');
    return shelf;
  }

  /** Changes the number of sessions of a shelf by one. */
  #resize(shelf: Shelf, change: () => void): void {
    const before = this.#bySize.get(shelf.entries.size);
    before?.delete(shelf);
    if (before?.size === 0) this.#bySize.delete(shelf.entries.size);
    change();
    const { size } = shelf.entries;
    if (size === 0) this.#shelves.delete(shelf.user);
    else {
      this.#shelves.set(shelf.user, shelf);
      const peers = this.#bySize.get(size) ?? new Set();
      this.#bySize.set(size, peers.add(shelf));
    }
    this.#maxSize = Math.max(this.#maxSize, size);
    while (this.#maxSize > 0 && !this.#bySize.has(this.#maxSize)) this.#maxSize--;
  }
}

function touch({ key, shelf }: Entry): void {
  const entry = shelf.entries.get(key);
  if (entry === undefined) return;
  shelf.entries.delete(key);
  shelf.entries.set(key, entry);
}

// Without capitals: to a server that compares ids as UUIDs, other capitals name the same session.
function keyOf(id: string): string {
  return shorten(id.toLowerCase());
}

/** No header and no identity begins with a line end, so that no text is taken for the digest of another one. */
function shorten(text: string): string {
  return text.length <= MAX_TEXT ? text : `\n${createHash('sha256').update(text).digest('base64')}`;
}
