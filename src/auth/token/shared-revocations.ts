import type { Logger } from '../../core/logger.js';
import { createRareLine } from '../../core/rare-line.js';
import { isRecord } from '../../http/json-object.js';
import type { RevokedLogin } from '../../oauth/revoked-logins.js';
import { createGuardedStore, type GuardedStore } from '../../store/guarded-store.js';
import type { Store } from '../../store/store.js';
import type { Revocation } from './known-revocations.js';
import type { Revocations } from './revocations.js';

/** The list in the store. */
const LIST = 'revocations';

/** Milliseconds from one look into the store to the next. A revocation must arrive within a second. */
const POLL_MS = 300;

/** Answers of the store that are read at once: a store whose cursor never stops must not block the process. */
const MAX_ANSWERS = 1_000;

/** Revocations that wait for the store. */
const MAX_WAITING = 10_000;

/** The time for which the store keeps the revocation of a token that does not expire: ten years. */
const MAX_KEEP_MS = 10 * 365 * 86_400_000;

/** Those with revocations that wait for the store. They stay alive until it has them, although the `mcpAuth()` may be replaced meanwhile. */
const sending = new Set<SharedRevocations>();

/** For the log. */
const RECEIVING = {
  who: 'mcpAuth(), receiving revocations',
  meanwhile: 'this process applies the ones that it knows',
};
const SENDING = {
  who: 'mcpAuth(), sending revocations',
  meanwhile: 'those of this process apply in it only, and wait for the store',
};

/**
 * Exchanges the revocations of this process with those of others, through a store. It sends and receives independently: a store that can be
 * read may refuse to be written, as a full one or a copy does.
 */
export class SharedRevocations {
  readonly #readable: GuardedStore;
  readonly #writable: GuardedStore;
  readonly #own: Revocations;
  readonly #logger: Logger;
  readonly #onApplied: () => void;
  readonly #complain: (line: string) => void;
  #waiting: Revocation[] = [];
  #cursor: string | undefined;
  #firstLook: Promise<void> | undefined;
  #hasLooked = false;
  readonly #receiveOnce = oneAtATime(() => this.#receive());
  readonly #sendOnce = oneAtATime(() => this.#send());

  /** @param onApplied Called after revocations of other processes were applied. */
  constructor(store: Store, own: Revocations, logger: Logger, onApplied: () => void) {
    this.#readable = createGuardedStore(store, { ...RECEIVING, logger });
    this.#writable = createGuardedStore(store, { ...SENDING, logger });
    this.#own = own;
    this.#logger = logger;
    this.#onApplied = onApplied;
    this.#complain = createRareLine((line) => logger.error(line));
  }

  /** Applies a revocation here, and sends it to other processes. */
  add(what: Parameters<Revocations['add']>[0]): void {
    const revocation = this.#own.add(what);
    if (revocation === undefined) {
      this.#logger.warn(
        'mcpAuth(): revoke() was given a function, which other processes cannot call: it applies in this one only',
      );
      return;
    }
    this.#share(revocation);
  }

  /** Revokes every token of a login, here and in other processes. */
  addLogin(revoked: RevokedLogin): void {
    this.#share(this.#own.addLogin(revoked));
  }

  #share(revocation: Revocation): void {
    if (this.#waiting.length < MAX_WAITING) {
      this.#waiting.push(revocation);
      sending.add(this);
    } else
      this.#complain(
        `mcpAuth(): more than ${MAX_WAITING} revocations wait for the store: the last ones apply in this process only`,
      );
    if (this.#hasLooked) void this.#look();
    else void this.ready();
  }

  /** Resolves once this process has asked the store for earlier revocations, even if the store did not answer. Returns undefined after that. */
  ready(): Promise<void> | undefined {
    if (this.#hasLooked) return undefined;
    this.#firstLook ??= this.#begin();
    return this.#firstLook;
  }

  async #begin(): Promise<void> {
    this.#poll();
    await this.#look();
    this.#hasLooked = true;
  }

  /** Looks into the store again and again. The timer keeps neither the process nor this object alive. */
  #poll(): void {
    const self = new WeakRef(this);
    const timer = setInterval(() => {
      const alive = self.deref();
      if (alive === undefined) clearInterval(timer);
      else void alive.#look();
    }, POLL_MS);
    timer.unref();
  }

  /** Receives and sends. Resolves once it has received, or could not. */
  #look(): Promise<void> {
    const received = this.#receiveOnce();
    void this.#sendOnce();
    return received;
  }

  async #send(): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const keepMs = Math.min(next.expiry === null ? MAX_KEEP_MS : next.expiry - Date.now(), MAX_KEEP_MS);
      if (keepMs > 0) await this.#writable.append(LIST, JSON.stringify(next), keepMs);
      this.#waiting.shift();
    }
    sending.delete(this);
  }

  async #receive(): Promise<void> {
    let isNew = false;
    try {
      for (let answers = 0; answers < MAX_ANSWERS; answers++) {
        const { entries, cursor } = await this.#readable.since(LIST, this.#cursor);
        for (const entry of entries) this.#apply(entry);
        isNew ||= entries.length > 0;
        if (cursor === this.#cursor) break;
        this.#cursor = cursor;
      }
    } finally {
      if (isNew) this.#onApplied();
    }
  }

  #apply(entry: string): void {
    try {
      this.#own.apply(parseRevocation(entry));
    } catch (error) {
      this.#complain(`mcpAuth(): a revocation in the store is not applied: ${(error as Error).message}`);
    }
  }
}

/** Creates a function that makes one run at a time. It never rejects: the guarded store has logged why a run failed, and the next one tries again. */
function oneAtATime(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  const end = (): void => {
    running = undefined;
  };
  return () => {
    running ??= run().then(end, end);
    return running;
  };
}

/** @throws {Error} If another program, or another version of this package, wrote the entry. */
function parseRevocation(entry: string): Revocation {
  const parsed: unknown = JSON.parse(entry);
  const fail = (): never => {
    throw new TypeError('it is in an unknown form');
  };
  if (!isRecord(parsed)) return fail();
  const { token, expiry, madeAt, ...names } = parsed;
  if (typeof expiry !== 'number' && !(expiry === null && typeof token === 'string')) return fail();
  if (typeof token === 'string') return { token, expiry };
  const isKnown = ([name, value]: [string, unknown]) =>
    /^(?:subject|client|issuer)$/.test(name) && typeof value === 'string';
  const members = Object.entries(names);
  if (typeof madeAt !== 'number' || typeof expiry !== 'number' || members.length === 0 || !members.every(isKnown))
    return fail();
  return { ...names, madeAt, expiry };
}
