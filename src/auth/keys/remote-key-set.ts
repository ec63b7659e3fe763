import { AuthError, UpstreamError } from '../../core/errors.js';
import { parseJwks } from '../../policy/jwks.js';
import { cacheLifetimeSeconds } from '../../upstream/cache-lifetime.js';
import { fetchDocument } from '../../upstream/call-server.js';
import { KeptCopy } from '../../upstream/kept-copy.js';
import { createKeyRing, type KeyRing } from './key-ring.js';
import type { KeySet, KeySetContext } from './key-set.js';
import type { VerificationKey } from './verification-key.js';

/** Keys that a server publishes (`jwks_uri`): fetched whole, kept, refreshed, and relied on while the server is away. */
export class RemoteKeySet implements KeySet {
  readonly #url: URL;
  readonly #ring: KeyRing;
  readonly #copy: KeptCopy;

  constructor(url: URL, context: KeySetContext) {
    this.#url = url;
    this.#ring = createKeyRing(context);
    this.#copy = new KeptCopy({
      fetch: () => this.#fetch(),
      staleIfErrorSeconds: context.staleIfErrorSeconds,
      onFailure: ({ message }) => context.logger.error(`key set of ${context.issuer}: ${message}`),
    });
  }

  async find(kid: string | undefined, alg: string, refuted?: VerificationKey): Promise<VerificationKey> {
    const refreshed = this.#copy.refreshWhenDue();
    if (this.#copy.isExpired || !this.#isTrusted()) await refreshed;
    if (!this.#isTrusted()) throw this.#unavailable();
    const select = () => this.#ring.select(kid, alg, refuted);
    return select() ?? this.#findUnknown(select, kid);
  }

  holds(key: VerificationKey): boolean {
    if (this.#copy.isFresh) return this.#ring.holds(key);
    void this.#copy.refreshWhenDue();
    return !this.#copy.isExpired && this.#copy.isTrusted && this.#ring.holds(key);
  }

  /** RFC 7517 knows no announcement of new keys: an unknown `kid` is one, and may be a lie; so is a signature that a key did not make. */
  async #findUnknown(select: () => VerificationKey | undefined, kid: string | undefined): Promise<VerificationKey> {
    // A fetch that was under way before may have been answered before the key was made.
    await this.#copy.fetching;
    let key = select();
    if (key === undefined && !this.#copy.isCooling) {
      await this.#copy.fetchAndCool();
      key = select();
    }
    if (key !== undefined) return key;
    // The key may be a new one that we cannot get at: then nothing can be said against the token.
    throw this.#copy.failure === undefined ? new AuthError('unknown_key', { kid }) : this.#unavailable();
  }

  async #fetch(): Promise<number> {
    const { body, headers } = await fetchDocument(this.#url);
    // An empty set is a word of the issuer's, not an outage: it has withdrawn its keys.
    if (Array.isArray(body.keys) && body.keys.length === 0) this.#ring.clear();
    await this.#ring.fill(parseJwks(body));
    return cacheLifetimeSeconds(headers);
  }

  #isTrusted(): boolean {
    return this.#ring.size > 0 && this.#copy.isTrusted;
  }

  #unavailable(): UpstreamError {
    const { failure: cause, retryAfterSeconds } = this.#copy;
    return new UpstreamError('key_set_unavailable', { cause, retryAfterSeconds });
  }
}
