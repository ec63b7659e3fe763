import { AuthError, UpstreamError } from '../../core/errors.js';
import { parseJwks } from '../../policy/jwks.js';
import { cacheLifetimeSeconds } from '../../upstream/cache-lifetime.js';
import { CachedDocument } from '../../upstream/cached-document.js';
import { fetchDocument } from '../../upstream/call-server.js';
import { createKeyRing, type KeyRing } from './key-ring.js';
import type { KeySet, KeySetContext } from './key-set.js';

/** Keys that a server publishes (`jwks_uri`): fetched whole, kept, refreshed, and relied on while the server is away. */
export function createRemoteKeySet(url: URL, context: KeySetContext): KeySet {
  const ring = createKeyRing(context);
  const published = new CachedDocument<KeyRing>({
    async fetch() {
      const { body, headers } = await fetchDocument(url);
      // An empty set is a word of the issuer's, not an outage: it has withdrawn its keys.
      if (Array.isArray(body.keys) && body.keys.length === 0) ring.clear();
      await ring.fill(parseJwks(body));
      return { document: ring, lifetimeSeconds: cacheLifetimeSeconds(headers) };
    },
    staleIfErrorSeconds: context.staleIfErrorSeconds,
    onFailure: ({ message }) => context.logger.error(`key set of ${context.issuer}: ${message}`),
    unavailable: (outage) => new UpstreamError('key_set_unavailable', outage),
  });

  return {
    async find(kid, alg, refuted) {
      const select = (keys: KeyRing) => keys.select(kid, alg, refuted);
      // RFC 7517 knows no announcement of new keys: an unknown `kid` is one, and may be a lie; so is a signature that a key did
      // not make. While the new keys cannot be had, nothing can be said against the token.
      const key = select(await published.get()) ?? (await published.refetch(select));
      if (key === undefined) throw new AuthError('unknown_key', { kid });
      return key;
    },
    holds: (key) => published.peek()?.holds(key) ?? false,
  };
}
