import { AsyncResource } from 'node:async_hooks';

/** After a fetch that did not help, none is made for this long: no flood of requests must become one of fetches. */
const COOL_DOWN_MS = 30_000;
/** A copy is fetched anew in the background once this share of its lifetime has passed. */
const REFRESH_AT = 0.8;

export interface CopySource {
  /** Fetches and takes over what is published; resolves to how long that may be kept, in seconds. */
  readonly fetch: () => Promise<number>;
  /** For how long the copy is relied on while it cannot be fetched. */
  readonly staleIfErrorSeconds: number;
  /** Told of each fetch that failed. */
  readonly onFailure: (error: Error) => void;
}

/**
 * When a copy of what a server publishes (a key set, metadata) is fetched, and for how long it is relied on: one fetch at
 * a time, refreshed before its time is up, relied on for a while when the server is away. Holds no copy itself.
 */
export class KeptCopy {
  readonly #source: CopySource;
  readonly #origin = new AsyncResource('express-mcp-auth');
  #fetching: Promise<void> | undefined;
  #failure: Error | undefined;
  // Milliseconds since 1970, like Date.now().
  #refreshAt = 0;
  #freshUntil = 0;
  #trustedUntil = 0;
  #coolUntil = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: CopySource) {
    this.#source = source;
  }

  /** The fetch under way, if any. Never rejects. */
  get fetching(): Promise<void> | undefined {
    return this.#fetching;
  }

  /** Why the last fetch failed; undefined after one that succeeded. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Nothing has to be asked or done before it is used. */
  get isFresh(): boolean {
    return Date.now() < this.#refreshAt;
  }

  /**
   * Past its lifetime a copy is fetched before it is used, which only a process that slept comes to wait for. While the
   * other server is away, nobody waits for it again and again.
   */
  get isExpired(): boolean {
    return this.#failure === undefined && Date.now() >= this.#freshUntil;
  }

  get isTrusted(): boolean {
    return Date.now() < this.#trustedUntil;
  }

  get isCooling(): boolean {
    return Date.now() < this.#coolUntil;
  }

  /** When it is worth trying again. */
  get retryAfterSeconds(): number {
    return Math.max(1, Math.ceil((this.#coolUntil - Date.now()) / 1000));
  }

  /** Begins a fetch if it is time for one; the fetch under way, if any. */
  refreshWhenDue(): Promise<void> | undefined {
    return this.isFresh || this.isCooling ? this.#fetching : this.#fetchOnce();
  }

  /** Fetches for want of something new, and then not again for a while. */
  async fetchAndCool(): Promise<void> {
    this.#coolUntil = Date.now() + COOL_DOWN_MS;
    await this.#fetchOnce();
  }

  /** Single flight: whoever comes while a fetch is under way waits for that one. */
  #fetchOnce(): Promise<void> {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    try {
      const lifetimeMs = (await this.#source.fetch()) * 1000;
      const now = Date.now();
      this.#failure = undefined;
      this.#refreshAt = now + lifetimeMs * REFRESH_AT;
      this.#freshUntil = now + lifetimeMs;
      this.#trustedUntil = now + Math.max(lifetimeMs, this.#source.staleIfErrorSeconds * 1000);
      this.#refreshIn(lifetimeMs * REFRESH_AT);
    } catch (error) {
      this.#failure = error as Error;
      this.#coolUntil = Date.now() + COOL_DOWN_MS;
      this.#source.onFailure(this.#failure);
      if (this.isTrusted) this.#refreshIn(COOL_DOWN_MS);
    }
  }

  /** Needs no request, so that none waits, and goes on while the copy is relied on: a failure is never an old one. */
  #refreshIn(ms: number): void {
    clearTimeout(this.#timer);
    // Keeps neither a copy that nobody holds any more, nor the process.
    const held = new WeakRef(this);
    const refresh = () => {
      const copy = held.deref();
      if (copy?.isCooling) copy.#refreshIn(copy.#coolUntil - Date.now());
      else if (copy !== undefined) void copy.#fetchOnce();
    };
    // Not in the context of the request that happened to come first.
    this.#timer = this.#origin.runInAsyncScope(() => setTimeout(refresh, ms).unref());
  }
}
