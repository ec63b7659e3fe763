import { createHash } from 'node:crypto';
import type { SessionOwner } from './session-owner.js';

/** One remembered session. */
interface Entry {
  readonly key: string;
  readonly owner: string;
  readonly share: Share;
  /** True once a server has answered a request with this id without an error. */
  isConfirmed: boolean;
  /** Requests in flight whose answers decide about an entry that is not confirmed. */
  undecided: number;
}

/** The sessions of one user, the longest unused first. */
interface Share {
  readonly user: string;
  readonly entries: Map<string, Entry>;
}

/** Called once, with true if the owner who named an id keeps it. */
export type SessionClaim = (isKept: boolean) => void;

export interface SessionLimits {
  readonly maxSessions: number;
  readonly maxSessionsPerUser: number;
}

const LIMITS: SessionLimits = { maxSessions: 65_536, maxSessionsPerUser: 1_024 };

/** Characters. A longer string is stored as its digest, so that clients cannot fill the memory. */
const MAX_TEXT = 200;

/**
 * The owners of the sessions that this process knows. If a user's share is full, this user's longest unused session is forgotten. If all
 * shares together are full, that happens to the user with the most sessions. So a caller who names thousands of ids displaces only the
 * sessions of this caller.
 */
export class SessionOwners {
  readonly #limits: SessionLimits;
  readonly #byId = new Map<string, Entry>();
  readonly #shares = new Map<string, Share>();
  /** The shares by the number of their sessions. */
  readonly #bySize = new Map<number, Set<Share>>();
  #maxSize = 0;

  constructor(limits: SessionLimits = LIMITS) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#byId.size;
  }

  /**
   * Looks up an id that a request names. An unknown id belongs to the first owner who names it. Errors as the only answers to this
   * owner's requests make it unknown again.
   *
   * @param user Returns the user in whose share the session counts.
   */
  name(id: string, owner: SessionOwner, user: () => string): 'known' | 'foreign' | SessionClaim {
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

  /** Stores the owner to whom the server gave `id`. False if it already belongs to another owner. */
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
    const known = this.#shares.get(user);
    if (known !== undefined && known.entries.size >= this.#limits.maxSessionsPerUser) this.#removeOldest(known);
    else if (this.size >= this.#limits.maxSessions) this.#removeOldest(this.#fullest());
    const share = this.#shares.get(user) ?? { user, entries: new Map() };
    const entry = { key, owner, share, isConfirmed: false, undecided: 0 };
    this.#byId.set(key, entry);
    this.#resize(share, () => share.entries.set(key, entry));
    return entry;
  }

  #remove(entry: Entry): void {
    // The entry may have made room for another one meanwhile, and its id may have another owner.
    if (this.#byId.get(entry.key) !== entry) return;
    this.#byId.delete(entry.key);
    this.#resize(entry.share, () => entry.share.entries.delete(entry.key));
  }

  #removeOldest(share: Share): void {
    for (const entry of share.entries.values()) {
      this.#remove(entry);
      return;
    }
  }

  #fullest(): Share {
    const [share] = this.#bySize.get(this.#maxSize) ?? [];
    if (share === undefined) throw new Error('SessionOwners: no session to forget');
    return share;
  }

  /** Changes the number of sessions of a share by one. */
  #resize(share: Share, change: () => void): void {
    const before = this.#bySize.get(share.entries.size);
    before?.delete(share);
    if (before?.size === 0) this.#bySize.delete(share.entries.size);
    change();
    const { size } = share.entries;
    if (size === 0) this.#shares.delete(share.user);
    else {
      this.#shares.set(share.user, share);
      const peers = this.#bySize.get(size) ?? new Set();
      this.#bySize.set(size, peers.add(share));
    }
    this.#maxSize = Math.max(this.#maxSize, size);
    while (this.#maxSize > 0 && !this.#bySize.has(this.#maxSize)) this.#maxSize--;
  }
}

function touch({ key, share }: Entry): void {
  const entry = share.entries.get(key);
  if (entry === undefined) return;
  share.entries.delete(key);
  share.entries.set(key, entry);
}

// In lower case: a server that compares ids as UUIDs ignores capitals.
function keyOf(id: string): string {
  return shorten(id.toLowerCase());
}

/** Returns a short string unchanged, and the digest of a long one. No header and no identity begins with a line end, so none equals a digest. */
function shorten(text: string): string {
  return text.length <= MAX_TEXT ? text : `\n${createHash('sha256').update(text).digest('base64')}`;
}
