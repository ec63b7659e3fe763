import { AsyncResource } from 'node:async_hooks';

/** After a fetch that failed, or that `refetch()` made, none is made for this long: many requests must not cause many fetches. */
const COOL_DOWN_MS = 30_000;
/** The first pause after a failure while no document is usable, doubled with each failure: servers that start together connect soon. */
const FIRST_COOL_DOWN_MS = 1_000;
/** The share of a document's lifetime after which it is fetched again in the background. */
const REFRESH_AT = 0.8;

/** The reason why there is no document, and the seconds until a retry makes sense. */
export interface Outage {
  readonly cause: Error | undefined;
  readonly retryAfterSeconds: number;
}

export interface DocumentSource<T> {
  /** Fetches and checks the document. */
  readonly fetch: () => Promise<{ readonly document: T; readonly lifetimeSeconds: number }>;
  /** While the document cannot be fetched again, it is used this long after the last successful fetch, and at least for its lifetime. */
  readonly staleIfErrorSeconds: number;
  /** Called after each failed fetch. */
  readonly onFailure: (error: Error) => void;
  /** Creates the error that is thrown if there is no usable document. */
  readonly unavailable: (outage: Outage) => Error;
}

/**
 * Caches a document that a server publishes, such as a key set or metadata. Fetches it when it is first needed, with one fetch at a
 * time, refreshes it before its lifetime ends, and uses it for a while if the server is unreachable.
 */
export class CachedDocument<T extends object> {
  readonly #source: DocumentSource<T>;
  readonly #origin = new AsyncResource('express-mcp-auth');
  #document: T | undefined;
  // Never rejects.
  #fetching: Promise<void> | undefined;
  #failure: Error | undefined;
  #consecutiveFailures = 0;
  // On the clock of performance.now(): setting the system time back must not prolong a lifetime.
  #refreshAt = 0;
  #freshUntil = 0;
  #usableUntil = 0;
  #coolUntil = 0;
  /** The start of the fetch that brought the current document. */
  #fetchedAt = Number.NEGATIVE_INFINITY;
  // On the clock of Date.now(): the other clock stops while the machine sleeps, and the document may change in that time.
  #freshUntilDate = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: DocumentSource<T>) {
    this.#source = source;
  }

  /** Returns the document, and fetches it first if none is usable. Throws the source's `unavailable()` error. */
  async get(): Promise<T> {
    const document = this.peek();
    if (document !== undefined) return document;
    await this.#fetching;
    if (this.#document === undefined || !this.#isUsable()) throw this.#unavailable();
    return this.#document;
  }

  /** Returns the document if it can be used without waiting. Starts a fetch in the background if one is due. */
  peek(): T | undefined {
    const now = performance.now();
    const isPastDate = Date.now() >= this.#freshUntilDate;
    if (now < this.#refreshAt && !isPastDate) return this.#document;
    if (!this.#isCooling()) void this.#fetchOnce();
    // Background refreshes keep the document fresh, unless the process was stopped or the machine slept. Then it is fetched before it is
    // used. Not if the last fetch failed: each request would wait for an unreachable server.
    const isExpired = this.#failure === undefined && (now >= this.#freshUntil || isPastDate);
    return isExpired || !this.#isUsable() ? undefined : this.#document;
  }

  /**
   * Returns the result of `find` on a newer document than `get()` returned: the one that is being fetched, or else one fetched for
   * this call. At most one such fetch is made per cool-down. Undefined if the newest document does not have it. Throws the source's
   * `unavailable()` error if the newest document could not be fetched.
   */
  async refetch<R>(find: (document: T) => R | undefined): Promise<R | undefined> {
    const findNow = () => (this.#document === undefined ? undefined : find(this.#document));
    await this.#fetching;
    let found = findNow();
    // The fetch that was in progress may have been answered before the wanted entry was published.
    if (found === undefined) {
      if (!this.#isCooling()) {
        this.#coolUntil = performance.now() + COOL_DOWN_MS;
        void this.#fetchOnce();
      }
      // Another call may have begun this fetch just now.
      await this.#fetching;
      found = findNow();
    }
    if (found === undefined && this.#failure !== undefined) throw this.#unavailable();
    return found;
  }

  /** Milliseconds since the fetch of the current document began; undefined if there is none. */
  ageMs(): number | undefined {
    return this.#document === undefined ? undefined : performance.now() - this.#fetchedAt;
  }

  /**
   * True if `refetch()` would bring nothing newer for something that was missing at `moment`, on the clock of `performance.now()`: the
   * document has been fetched since then, or is not fetched now because a cool-down goes on. False after a failure, which `refetch()`
   * would report, and during a fetch, for which it would wait.
   */
  isNewestFor(moment: number): boolean {
    const isPaused = this.#isCooling() && this.#fetching === undefined;
    return this.#failure === undefined && (this.#fetchedAt > moment || isPaused);
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

  /** Makes one fetch at a time: calls during a fetch wait for its result. */
  #fetchOnce(): Promise<void> {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    const began = performance.now();
    try {
      const { document, lifetimeSeconds } = await this.#source.fetch();
      const lifetimeMs = lifetimeSeconds * 1000;
      const now = performance.now();
      this.#document = document;
      this.#fetchedAt = began;
      this.#failure = undefined;
      this.#consecutiveFailures = 0;
      this.#refreshAt = now + lifetimeMs * REFRESH_AT;
      this.#freshUntil = now + lifetimeMs;
      this.#freshUntilDate = Date.now() + lifetimeMs;
      this.#usableUntil = now + Math.max(lifetimeMs, this.#source.staleIfErrorSeconds * 1000);
      this.#refreshIn(lifetimeMs * REFRESH_AT);
    } catch (error) {
      this.#failure = error as Error;
      const soon = FIRST_COOL_DOWN_MS * 2 ** this.#consecutiveFailures++;
      this.#coolUntil = performance.now() + (this.#isUsable() ? COOL_DOWN_MS : Math.min(soon, COOL_DOWN_MS));
      this.#source.onFailure(this.#failure);
      if (this.#isUsable()) this.#refreshIn(COOL_DOWN_MS);
    }
  }

  /** Refreshes in the background, so that no request waits, as long as the document is usable. So `#failure` is always recent. */
  #refreshIn(ms: number): void {
    clearTimeout(this.#timer);
    // A weak reference, and `unref()` below: the timer keeps neither an unused document in memory nor the process running.
    const weak = new WeakRef(this);
    const refresh = () => {
      const cached = weak.deref();
      if (cached === undefined) return;
      if (cached.#isCooling()) cached.#refreshIn(cached.#coolUntil - performance.now());
      else void cached.#fetchOnce();
    };
    // Runs outside the AsyncLocalStorage context of the request that caused the first fetch.
    this.#timer = this.#origin.runInAsyncScope(() => setTimeout(refresh, ms).unref());
  }
}
