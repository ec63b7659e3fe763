import { AsyncResource } from 'node:async_hooks';

/** After a fetch that did not help, none is made for this long: no flood of requests must become one of fetches. */
const COOL_DOWN_MS = 30_000;
/** The same while there is no document to use, doubled after each failure: servers that start together find each other soon. */
const FIRST_COOL_DOWN_MS = 1_000;
/** A document is fetched again in the background once this share of its lifetime has passed. */
const REFRESH_AT = 0.8;

/** Why there is no document, and when it is worth trying again. */
export interface Outage {
  readonly cause: Error | undefined;
  readonly retryAfterSeconds: number;
}

export interface DocumentSource<T> {
  /** Fetches and checks what is published. */
  readonly fetch: () => Promise<{ readonly document: T; readonly lifetimeSeconds: number }>;
  /** For how long the document is used while it cannot be fetched. */
  readonly staleIfErrorSeconds: number;
  /** Called after each fetch that failed. */
  readonly onFailure: (error: Error) => void;
  /** The error to throw where the document cannot be had. */
  readonly unavailable: (outage: Outage) => Error;
}

/**
 * A document that a server publishes (a key set, metadata): fetched when it is first needed, one fetch at a time, refreshed before its
 * lifetime is over, and used for a while when the server is away.
 */
export class CachedDocument<T extends object> {
  readonly #source: DocumentSource<T>;
  readonly #origin = new AsyncResource('express-mcp-auth');
  #document: T | undefined;
  // Never rejects.
  #fetching: Promise<void> | undefined;
  #failure: Error | undefined;
  #failuresInTurn = 0;
  // On the clock of performance.now(): a date that is put back makes no document younger.
  #refreshAt = 0;
  #freshUntil = 0;
  #usableUntil = 0;
  #coolUntil = 0;
  // By the date: the other clock stands still while the machine sleeps, and what was published may be another by then.
  #freshUntilDate = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: DocumentSource<T>) {
    this.#source = source;
  }

  /** The document, fetched first where there is none to use. Throws the source's `unavailable()` error. */
  async get(): Promise<T> {
    const document = this.peek();
    if (document !== undefined) return document;
    await this.#fetching;
    if (this.#document === undefined || !this.#isUsable()) throw this.#unavailable();
    return this.#document;
  }

  /** The document where it can be used without waiting; begins a fetch where it is time for one. */
  peek(): T | undefined {
    const now = performance.now();
    const isPastDate = Date.now() >= this.#freshUntilDate;
    if (now < this.#refreshAt && !isPastDate) return this.#document;
    if (!this.#isCooling()) void this.#fetchOnce();
    // Past its lifetime, which only a process that was stopped, or whose machine slept, comes to see, it is fetched before it is used; not while the
    // server is away, or each request would wait for it.
    const isExpired = this.#failure === undefined && (now >= this.#freshUntil || isPastDate);
    return isExpired || !this.#isUsable() ? undefined : this.#document;
  }

  /**
   * The result of `find` on a newer document than `get()` returned: the one that is being fetched, or else one fetched for
   * this call, after which there is no such fetch for a while. Undefined if it is not in the newest one. Throws the source's
   * `unavailable()` error if it may be in one that could not be fetched.
   */
  async refetch<R>(find: (document: T) => R | undefined): Promise<R | undefined> {
    const findNow = () => (this.#document === undefined ? undefined : find(this.#document));
    await this.#fetching;
    let found = findNow();
    // A fetch that was under way before may have been answered before what is looked for was published.
    if (found === undefined && !this.#isCooling()) {
      this.#coolUntil = performance.now() + COOL_DOWN_MS;
      await this.#fetchOnce();
      found = findNow();
    }
    if (found === undefined && this.#failure !== undefined) throw this.#unavailable();
    return found;
  }

  #isUsable(): boolean {
    return performance.now() < this.#usableUntil;
  }

  #isCooling(): boolean {
    return performance.now() < this.#coolUntil;
  }

  #unavailable(): Error {
    const retryAfterSeconds = Math.max(1, Math.ceil((this.#coolUntil - performance.now()) / 1000));
    return this.#source.unavailable({ cause: this.#failure, retryAfterSeconds });
  }

  /** Single flight: callers that come while a fetch is under way wait for that one. */
  #fetchOnce(): Promise<void> {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    try {
      const { document, lifetimeSeconds } = await this.#source.fetch();
      const lifetimeMs = lifetimeSeconds * 1000;
      const now = performance.now();
      this.#document = document;
      this.#failure = undefined;
      this.#failuresInTurn = 0;
      this.#refreshAt = now + lifetimeMs * REFRESH_AT;
      this.#freshUntil = now + lifetimeMs;
      this.#freshUntilDate = Date.now() + lifetimeMs;
      this.#usableUntil = now + Math.max(lifetimeMs, this.#source.staleIfErrorSeconds * 1000);
      this.#refreshIn(lifetimeMs * REFRESH_AT);
    } catch (error) {
      this.#failure = error as Error;
      const soon = FIRST_COOL_DOWN_MS * 2 ** this.#failuresInTurn++;
      this.#coolUntil = performance.now() + (this.#isUsable() ? COOL_DOWN_MS : Math.min(soon, COOL_DOWN_MS));
      this.#source.onFailure(this.#failure);
      if (this.#isUsable()) this.#refreshIn(COOL_DOWN_MS);
    }
  }

  /** Refreshes without a request, so that none waits, for as long as the document is used: a failure is never an old one. */
  #refreshIn(ms: number): void {
    clearTimeout(this.#timer);
    // Keeps neither a document that nothing refers to any more, nor the process.
    const weak = new WeakRef(this);
    const refresh = () => {
      const cached = weak.deref();
      if (cached === undefined) return;
      if (cached.#isCooling()) cached.#refreshIn(cached.#coolUntil - performance.now());
      else void cached.#fetchOnce();
    };
    // Not in the context of the request that happened to come first.
    this.#timer = this.#origin.runInAsyncScope(() => setTimeout(refresh, ms).unref());
  }
}
