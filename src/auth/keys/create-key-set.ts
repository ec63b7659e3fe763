import { UpstreamError } from '../../core/errors.js';
import type { Jwks } from '../../policy/issuer-options.js';
import { type JwksSource, parseJwks } from '../../policy/jwks-source.js';
import { CachedDocument } from '../../upstream/cached-document.js';
import { CallError, fetchDocument, type PublishedDocument } from '../../upstream/call-server.js';
import { watchKeyFile } from './key-file.js';
import type { KeySet, KeySetContext } from './key-set.js';
import { type KeySetPlaces, keySetPlaces } from './key-set-places.js';
import { createLiveKeySet } from './live-key-set.js';
import { createUsableKeys, findIn, type UsableKeys } from './usable-keys.js';

/** Creates the key set of an issuer from its source: a URL, the issuer's metadata, a function, a file, or keys given inline. */
export function createKeySet(source: JwksSource, context: KeySetContext): KeySet {
  if (source.kind === 'live') return createLiveKeySet(source.read, context);
  if (source.kind === 'file' || source.kind === 'inline') return createLocalKeySet(source, context);
  return createRemoteKeySet(keySetPlaces(source, context), context);
}

/** Keys given inline, or read from a file, which is watched. */
function createLocalKeySet(source: Extract<JwksSource, { jwks: Jwks }>, context: KeySetContext): KeySet {
  const keys = createUsableKeys(context);
  let isBroken = false;
  const onFilled = () => {
    if (isBroken) context.logger.info(`key set of ${context.issuer}: it can be used again`);
    isBroken = false;
  };
  const fill = (jwks: Jwks) =>
    keys.fill(jwks).then(onFilled, (error: Error) => {
      isBroken = true;
      context.logger.error(
        `key set of ${context.issuer}: ${error.message}${keys.size > 0 ? '; the previous keys stay in use' : ''}`,
      );
    });
  const contents: LocalKeys = { filled: fill(source.jwks), fill };
  if (source.kind === 'file') {
    const watched = { what: `key set of ${context.issuer}`, parse: parseJwks, logger: context.logger };
    watchKeyFile(source.file, watched, contents, fillAgain);
  }
  return {
    async find(wanted, failedKey) {
      await contents.filled;
      return findIn(keys, wanted, failedKey);
    },
    async isReady() {
      await contents.filled;
      return keys.size > 0;
    },
    has: (key) => keys.has(key),
    hasWithdrawn: (key) => !keys.includes(key),
    now: () => ({ revision: keys.revision, at: performance.now() }),
    isUnchangedSince: ({ revision }) => revision === keys.revision,
  };
}

/** Keys that can be replaced. */
interface LocalKeys {
  /** Resolves when the newest keys can be used. */
  filled: Promise<void>;
  fill(jwks: Jwks): Promise<void>;
}

/** One after the other, so that an older version of the file cannot replace a newer one. */
function fillAgain(contents: LocalKeys, jwks: Jwks): void {
  contents.filled = contents.filled.then(() => contents.fill(jwks));
}

/** Keys that a server publishes (`jwks_uri`): cached, refreshed in the background, and used for a while when the server cannot be reached. */
function createRemoteKeySet(places: KeySetPlaces, context: KeySetContext): KeySet {
  const keys = createUsableKeys(context);
  const published = new CachedDocument<UsableKeys>({
    async fetch() {
      const { body, lifetimeSeconds } = await fetchKeySet(places);
      // An empty set is not an outage: the issuer has withdrawn its keys.
      if (Array.isArray(body.keys) && body.keys.length === 0) keys.clear();
      await keys.fill(parseJwks(body));
      return { document: keys, lifetimeSeconds };
    },
    staleIfErrorSeconds: context.staleIfErrorSeconds,
    onFailure(error) {
      context.logger.error(`key set of ${context.issuer}: ${error.message}${places.adviceFor(error)}`);
      places.onFailure();
    },
    unavailable: (outage) => new UpstreamError('key_set_unavailable', outage),
  });

  return {
    async find(wanted, failedKey) {
      const select = (current: UsableKeys) => current.select(wanted, failedKey);
      // JWKS (RFC 7517) cannot announce new keys. A token for which there is no key, or no single one, and a failed signature are the only
      // hints. An attacker can send either, so they trigger at most one fetch per cool-down. If it fails, the token may be good: report the outage.
      const key = select(await published.get()) ?? (await published.refetch(select));
      if (key === undefined) throw keys.refusalOf(wanted);
      return key;
    },
    isReady: () =>
      published.get().then(
        ({ size }) => size > 0,
        () => false,
      ),
    ageMs: () => published.ageMs(),
    has: (key) => published.peek()?.has(key) ?? false,
    hasWithdrawn: (key) => !keys.includes(key),
    now: () => ({ revision: keys.revision, at: performance.now() }),
    isUnchangedSince: ({ revision, at }) => revision === keys.revision && published.isNewestFor(at),
  };
}

/** Fetches a key set. If it is not where it was, its issuer may have moved it: then its place is searched for again. */
async function fetchKeySet(places: KeySetPlaces): Promise<PublishedDocument> {
  const place = await places.find();
  try {
    return await fetchDocument(place);
  } catch (error) {
    if (!(error instanceof CallError && error.isAbsence)) throw error;
    const other = await places.findOther(place);
    if (other === undefined) throw error;
    return fetchDocument(other);
  }
}
