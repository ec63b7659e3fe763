import type { JwksSource } from '../../policy/jwks-source.js';
import { CachedDocument } from '../../upstream/cached-document.js';
import { CallError } from '../../upstream/call-server.js';
import { findKeySet, type KeySetPlace, type KeySetSearch } from '../../upstream/find-key-set.js';
import type { KeySetContext } from './key-set.js';

/** Finds the URL of a remote key set, and advises the operator if the key set cannot be used there. */
export interface KeySetPlaces {
  /** @throws {Error} If the metadata that names the URL cannot be used. */
  find(): Promise<URL>;
  /**
   * Searches again because there is no key set at `absentAt`, where metadata says: its issuer may have moved it. At most one such search is made
   * per cool-down. Returns undefined if it finds no other place.
   */
  findOther(absentAt: URL): Promise<URL | undefined>;
  /** To be called when there are no keys at this place. A place that no metadata names is then forgotten. */
  onFailure(): void;
  /** The end of the log line about this failure. */
  adviceFor(error: unknown): string;
}

const SET_URL = 'set jwks: { url: … } to the address of its keys';
const WRONG_URL =
  ". The policy has no jwks, so this URL follows from the issuer: set jwks: { url: … } to the jwks_uri in the issuer's metadata";
const NO_METADATA = `. The issuer has no metadata and the policy no jwks, so this URL follows from the issuer: ${SET_URL}`;
const WRONG_METADATA = `. The policy has no jwks, so the metadata of the issuer must name its keys: correct it, or ${SET_URL}`;

/** Returns the place of a key set from its source: known, or named by the issuer's metadata. */
export function keySetPlaces(
  source: Extract<JwksSource, { kind: 'url' | 'discovered' }>,
  context: KeySetContext,
): KeySetPlaces {
  if (source.kind === 'discovered') return createDiscovery(source.search, context);
  const adviceFor = (error: unknown) => adviceIf(error, source.isDerived ? WRONG_URL : '');
  const findOther = async () => undefined;
  return { find: async () => source.url, findOther, onFailure: () => undefined, adviceFor };
}

/** A server that does not answer at all says nothing about the URL. */
function adviceIf(error: unknown, advice: string): string {
  return error instanceof CallError && error.answered ? advice : '';
}

/** Searches at the first token, again when the document that named the keys is no longer fresh, and when they are no longer there. */
function createDiscovery(wanted: KeySetSearch, { issuer, staleIfErrorSeconds, logger }: KeySetContext): KeySetPlaces {
  let place: KeySetPlace | undefined;
  const failures = new WeakSet<Error>();
  const search = () =>
    new CachedDocument<KeySetPlace>({
      async fetch() {
        const found = await findKeySet(wanted);
        if (found.document.url.href !== place?.url.href) {
          logger.info(`key set of ${issuer}: ${found.document.url.href}, ${reasonFor(found.document, wanted)}`);
        }
        place = found.document;
        return found;
      },
      staleIfErrorSeconds,
      onFailure(error) {
        failures.add(error);
        if (place !== undefined)
          logger.warn(`key set of ${issuer}: ${error.message}; it is still read from ${place.url.href}`);
      },
      // The key set reports it as its own failure.
      unavailable: ({ cause }) => cause ?? new Error('its place is not known yet'),
    });
  let published = search();
  return {
    find: async () => (await published.get()).url,
    async findOther({ href }) {
      // Otherwise onFailure() lets the next fetch search.
      if (place?.namedBy === undefined) return undefined;
      const find = ({ url }: KeySetPlace) => (url.href === href ? undefined : url);
      // A search that fails has been logged, and the missing key set is the failure to report.
      return published.refetch(find).catch(() => undefined);
    },
    onFailure() {
      // A server that is starting may answer 404 for everything.
      if (place !== undefined && place.namedBy === undefined) published = search();
    },
    adviceFor(error) {
      if (failures.has(error as Error)) return adviceIf(error, WRONG_METADATA);
      return adviceIf(error, place?.namedBy === undefined ? NO_METADATA : '');
    },
  };
}

function reasonFor({ namedBy }: KeySetPlace, { metadataUrls }: KeySetSearch): string {
  if (namedBy !== undefined) return `as ${namedBy.href} says`;
  return `since there is no metadata at ${metadataUrls.map(({ href }) => href).join(', ')}`;
}
