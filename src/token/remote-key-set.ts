import { AuthError, UpstreamError } from '../errors.js';
import { cacheLifetimeSeconds } from '../http/cache-lifetime.js';
import { fetchJson } from '../http/fetch-json.js';
import { parseJwks } from '../options/jwks.js';
import { createKeyRing, type KeyRing } from './key-ring.js';
import type { KeySet, KeySetContext } from './key-set.js';
import type { VerificationKey } from './verification-key.js';

/** After a fetch that did not help, none is made for this long: a flood of forged tokens must not become one of fetches. */
const COOL_DOWN_MS = 30_000;
/** A set is fetched anew in the background once this share of its lifetime has passed. */
const REFRESH_AT = 0.8;

/** Keys that a server publishes (`jwks_uri`): fetched whole, kept, refreshed, and relied on while the server is away. */
export class RemoteKeySet implements KeySet {
  readonly #url: URL;
  readonly #context: KeySetContext;
  readonly #ring: KeyRing;
  #fetching: Promise<void> | undefined;
  /** Why the last fetch failed; undefined after one that succeeded. */
  #failure: Error | undefined;
  // Milliseconds since 1970, like Date.now().
  #refreshAt = 0;
  #freshUntil = 0;
  #trustedUntil = 0;
  #coolUntil = 0;

  constructor(url: URL, context: KeySetContext) {
    this.#url = url;
    this.#context = context;
    this.#ring = createKeyRing(context);
  }

  async find(kid: string | undefined, alg: string): Promise<VerificationKey> {
    const refreshed = this.#refreshWhenDue();
    // Past its lifetime a set is fetched before it is used; only a server that was idle comes to wait here. While the
    // key server is away, nobody waits for it again and again.
    const expired = Date.now() >= this.#freshUntil && this.#failure === undefined;
    if (expired || !this.#isTrusted()) await refreshed;
    if (!this.#isTrusted()) throw this.#unavailable();
    return this.#ring.select(kid, alg) ?? this.#findUnknown(kid, alg);
  }

  holds(key: VerificationKey): boolean {
    void this.#refreshWhenDue();
    const reliedOnUntil = this.#failure === undefined ? this.#freshUntil : this.#trustedUntil;
    return Date.now() < reliedOnUntil && this.#ring.holds(key);
  }

  /** RFC 7517 knows no announcement of new keys: an unknown `kid` is one, and may be a lie. */
  async #findUnknown(kid: string | undefined, alg: string): Promise<VerificationKey> {
    // A fetch that was under way before may have been answered before the key was made.
    await this.#fetching;
    let key = this.#ring.select(kid, alg);
    if (key === undefined && !this.#isCooling()) {
      this.#coolUntil = Date.now() + COOL_DOWN_MS;
      await this.#fetchOnce();
      key = this.#ring.select(kid, alg);
    }
    if (key !== undefined) return key;
    // The key may be a new one that we cannot get at: then nothing can be said against the token.
    throw this.#failure === undefined ? new AuthError('unknown_key', { kid }) : this.#unavailable();
  }

  #refreshWhenDue(): Promise<void> | undefined {
    if (Date.now() < this.#refreshAt || this.#isCooling()) return this.#fetching;
    return this.#fetchOnce();
  }

  /** Single flight: whoever comes while a fetch is under way waits for that one. Never rejects. */
  #fetchOnce(): Promise<void> {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    try {
      const { body, headers } = await fetchJson(this.#url);
      // An empty set is a word of the issuer's, not an outage: it has withdrawn its keys.
      if (Array.isArray(body.keys) && body.keys.length === 0) this.#ring.clear();
      await this.#ring.fill(parseJwks(body));
      this.#failure = undefined;
      this.#keepFor(cacheLifetimeSeconds(headers) * 1000);
    } catch (error) {
      this.#failure = error as Error;
      this.#coolUntil = Date.now() + COOL_DOWN_MS;
      this.#context.logger.error(`key set of ${this.#context.issuer}: ${this.#failure.message}`);
    }
  }

  #keepFor(lifetimeMs: number): void {
    const now = Date.now();
    this.#refreshAt = now + lifetimeMs * REFRESH_AT;
    this.#freshUntil = now + lifetimeMs;
    this.#trustedUntil = now + Math.max(lifetimeMs, this.#context.staleIfErrorSeconds * 1000);
  }

  #isCooling(): boolean {
    return Date.now() < this.#coolUntil;
  }

  #isTrusted(): boolean {
    return this.#ring.size > 0 && Date.now() < this.#trustedUntil;
  }

  #unavailable(): UpstreamError {
    const retryAfterSeconds = Math.max(1, Math.ceil((this.#coolUntil - Date.now()) / 1000));
    return new UpstreamError('key_set_unavailable', { cause: this.#failure, retryAfterSeconds });
  }
}
