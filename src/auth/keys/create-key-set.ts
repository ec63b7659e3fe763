import { AuthError, UpstreamError } from '../../core/errors.js';
import type { Jwks } from '../../policy/auth-options.js';
import { type JwksSource, parseJwks } from '../../policy/jwks-source.js';
import { CachedDocument } from '../../upstream/cached-document.js';
import { fetchDocument } from '../../upstream/call-server.js';
import { watchKeyFile } from './key-file.js';
import type { KeySet, KeySetContext } from './key-set.js';
import { createLiveKeySet } from './live-key-set.js';
import { createUsableKeys, findIn, type UsableKeys } from './usable-keys.js';

/** The key set that a source asks for: fetched, read from a function, or given. */
export function createKeySet(source: JwksSource, context: KeySetContext): KeySet {
  if (source.kind === 'url') return createRemoteKeySet(source.url, context);
  return source.kind === 'live' ? createLiveKeySet(source.read, context) : createLocalKeySet(source, context);
}

/** Keys from a file, which is watched, or given inline. */
function createLocalKeySet(source: Extract<JwksSource, { jwks: Jwks }>, context: KeySetContext): KeySet {
  const ring = createUsableKeys(context);
  const fill = (jwks: Jwks) =>
    ring.fill(jwks).catch((error: Error) => {
      context.logger.error(
        `key set of ${context.issuer}: ${error.message}${ring.size > 0 ? '; the old keys stay' : ''}`,
      );
    });
  let filled = fill(source.jwks);
  if (source.kind === 'file') {
    watchKeyFile(source.file, context, (jwks) => {
      // One after the other, so that an older reading cannot overtake a newer one.
      filled = filled.then(() => fill(jwks));
    });
  }
  return {
    async find(kid, alg, failedKey) {
      await filled;
      return findIn(ring, kid, alg, failedKey);
    },
    has: (key) => ring.has(key),
    hasWithdrawn: (key) => !ring.includes(key),
  };
}

/** Keys that a server publishes (`jwks_uri`): fetched whole, kept, refreshed, and relied on while the server is away. */
function createRemoteKeySet(url: URL, context: KeySetContext): KeySet {
  const ring = createUsableKeys(context);
  const published = new CachedDocument<UsableKeys>({
    async fetch() {
      const { body, lifetimeSeconds } = await fetchDocument(url);
      // An empty set is a word of the issuer's, not an outage: it has withdrawn its keys.
      if (Array.isArray(body.keys) && body.keys.length === 0) ring.clear();
      await ring.fill(parseJwks(body));
      return { document: ring, lifetimeSeconds };
    },
    staleIfErrorSeconds: context.staleIfErrorSeconds,
    onFailure: ({ message }) => context.logger.error(`key set of ${context.issuer}: ${message}`),
    unavailable: (outage) => new UpstreamError('key_set_unavailable', outage),
  });

  return {
    async find(kid, alg, failedKey) {
      const select = (keys: UsableKeys) => keys.select(kid, alg, failedKey);
      // RFC 7517 knows no announcement of new keys: an unknown `kid` is one, and may be a lie; so is a signature that a key did
      // not make. While the new keys cannot be had, nothing can be said against the token.
      const key = select(await published.get()) ?? (await published.refetch(select));
      if (key === undefined) throw new AuthError('unknown_key', { kid });
      return key;
    },
    has: (key) => published.peek()?.has(key) ?? false,
    hasWithdrawn: (key) => !ring.includes(key),
  };
}
