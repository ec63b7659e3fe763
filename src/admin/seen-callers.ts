import { LRUCache } from 'lru-cache';
import type { CallRecord } from '../telemetry/call-record.js';
import { shortText } from './bounded-texts.js';

/** Users, and clients, that are remembered. */
const MAX_CALLERS = 1_000;
/** Clients of a user, and users of a client, that are named. */
const MAX_PARTNERS = 5;

/** A user or a client as the page shows it. */
export interface ShownCaller {
  readonly name: string;
  readonly issuer: string | undefined;
  /** Calls since the process began, or since the caller came back after it was forgotten. */
  readonly calls: number;
  /** The end of the last call, in milliseconds since 1970. */
  readonly lastSeen: number;
  /** Clients of a user, or users of a client. */
  readonly partners: readonly string[];
}

/** Users and clients as the page shows them. */
export interface ShownCallers {
  readonly users: readonly ShownCaller[];
  readonly clients: readonly ShownCaller[];
  /** The number of users, and of clients, that are remembered. */
  readonly max: number;
  /** False if some were forgotten. */
  readonly isComplete: boolean;
}

/**
 * Counts every call of each user and each client. Those that called last are remembered, so that a caller who calls often has one place like all
 * others. It runs for every call, even without a page, so it must be cheap.
 */
export class SeenCallers {
  readonly #users = new CallerCounts();
  readonly #clients = new CallerCounts();

  add({ user, client, issuer, time, durationMs }: CallRecord): void {
    const endedAt = time + durationMs;
    this.#users.add(user, issuer, client, endedAt);
    this.#clients.add(client, issuer, user, endedAt);
  }

  list(): ShownCallers {
    const isComplete = !this.#users.hasForgotten && !this.#clients.hasForgotten;
    return { users: this.#users.all, clients: this.#clients.all, max: MAX_CALLERS, isComplete };
  }
}

interface Caller {
  readonly name: string;
  readonly issuer: string | undefined;
  readonly partners: Set<string>;
  calls: number;
  lastSeen: number;
}

/** The callers of one kind. */
class CallerCounts {
  hasForgotten = false;
  readonly #callers = new LRUCache<string, Caller>({
    max: MAX_CALLERS,
    dispose: (_caller, _key, reason) => {
      if (reason === 'evict') this.hasForgotten = true;
    },
  });

  add(name: string | undefined, issuer: string | undefined, partner: string | undefined, endedAt: number): void {
    if (name === undefined) return;
    const caller = this.#callerOf(shortText(name), issuer === undefined ? undefined : shortText(issuer));
    caller.calls += 1;
    caller.lastSeen = endedAt;
    if (partner !== undefined && caller.partners.size < MAX_PARTNERS) caller.partners.add(shortText(partner));
  }

  get all(): readonly ShownCaller[] {
    return [...this.#callers.values()].map((caller) => ({ ...caller, partners: [...caller.partners] }));
  }

  #callerOf(name: string, issuer: string | undefined): Caller {
    // The length tells where the issuer ends.
    const key = `${issuer?.length} ${issuer}${name}`;
    const known = this.#callers.get(key);
    if (known !== undefined) return known;
    const caller = { name, issuer, partners: new Set<string>(), calls: 0, lastSeen: 0 };
    this.#callers.set(key, caller);
    return caller;
  }
}
