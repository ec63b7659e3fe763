import { LRUCache } from 'lru-cache';
import { readKeys, type VerificationKey } from '../auth/keys/verification-key.js';
import { isRecord } from '../http/json-object.js';
import { OAuthError } from './oauth-error.js';

/** A client with keys, as its metadata document describes it. */
export interface KeyedClient {
  /** The client id. */
  readonly url: string;
  readonly keys: { readonly jwks: unknown } | { readonly jwksUri: URL };
}

/** A key set that a client publishes. */
export interface PublishedKeys {
  readonly jwks: unknown;
  readonly lifetimeSeconds: number;
}

/**
 * Fetches a key set whose URL a client chose.
 *
 * @throws {OAuthError} `invalid_client` if there is none, or it may not be fetched.
 * @throws {UpstreamError} If the server does not answer, or too many fetches are made.
 */
export type FetchKeys = (url: URL, caller: string) => Promise<PublishedKeys>;

/** The keys of clients that authenticate with `private_key_jwt`. */
export interface ClientKeys {
  /**
   * Returns the usable keys of a client, in the order of its key set.
   *
   * @throws {OAuthError} `invalid_client` if it has none.
   * @throws {UpstreamError} If they cannot be fetched at the moment.
   */
  get(client: KeyedClient, caller: string): Promise<readonly VerificationKey[]>;
  /**
   * Returns the keys of a client again if these are not the newest: fetches them at most once per cool-down. Undefined if there is
   * nothing newer.
   */
  newer(
    client: KeyedClient,
    caller: string,
    than: readonly VerificationKey[],
  ): Promise<readonly VerificationKey[] | undefined>;
}

/** Two keys while one replaces the other; more for clients with several algorithms. Each is tried for an assertion without `kid`. */
const MAX_KEYS = 20;

/** Limits the memory to a few megabytes. */
const MAX_KEY_SETS = 500;

/** After a fetch, none is made for an unknown key for this long: many forged assertions must not cause many fetches. */
const COOL_DOWN_MS = 30_000;

interface FetchedKeys {
  readonly keys: readonly VerificationKey[];
  /** On the clock of `performance.now()`. */
  readonly fetchedAt: number;
}

export function createClientKeys(fetchKeys: FetchKeys): ClientKeys {
  const inline = new WeakMap<object, Promise<readonly VerificationKey[]>>();
  const fetched = new LRUCache<string, FetchedKeys>({ max: MAX_KEY_SETS });
  const fetching = new Map<string, Promise<FetchedKeys>>();

  /** Makes one fetch at a time for each URL. Failures are not remembered. */
  function fetchOnce(url: URL, caller: string): Promise<FetchedKeys> {
    const running = fetching.get(url.href);
    if (running !== undefined) return running;
    const started = fetchNow(url, caller).finally(() => fetching.delete(url.href));
    fetching.set(url.href, started);
    return started;
  }

  async function fetchNow(url: URL, caller: string): Promise<FetchedKeys> {
    const fetchedAt = performance.now();
    const { jwks, lifetimeSeconds } = await fetchKeys(url, caller);
    const entry = { keys: await readKeySet(jwks), fetchedAt };
    fetched.set(url.href, entry, { ttl: lifetimeSeconds * 1_000 });
    return entry;
  }

  return {
    async get({ keys }, caller) {
      if ('jwksUri' in keys) return (fetched.get(keys.jwksUri.href) ?? (await fetchOnce(keys.jwksUri, caller))).keys;
      const { jwks } = keys;
      if (typeof jwks !== 'object' || jwks === null) return readKeySet(jwks);
      const read = inline.get(jwks) ?? readKeySet(jwks);
      inline.set(jwks, read);
      return read;
    },
    async newer({ keys }, caller, than) {
      if (!('jwksUri' in keys)) return undefined;
      const known = fetched.get(keys.jwksUri.href);
      if (known !== undefined && known.keys !== than) return known.keys;
      if (known !== undefined && performance.now() - known.fetchedAt < COOL_DOWN_MS) return undefined;
      return (await fetchOnce(keys.jwksUri, caller)).keys;
    },
  };
}

/** @throws {OAuthError} If it is no key set, has too many keys, or none that can be used. */
async function readKeySet(jwks: unknown): Promise<readonly VerificationKey[]> {
  const listed = isRecord(jwks) ? jwks.keys : undefined;
  if (!Array.isArray(listed) || listed.length > MAX_KEYS) {
    throw new OAuthError('invalid_client', `The key set of the client must have a list of at most ${MAX_KEYS} keys`);
  }
  const { keys } = await readKeys(listed);
  if (keys.length > 0) return keys;
  throw new OAuthError('invalid_client', 'The key set of the client has no public key that can verify a signature');
}
