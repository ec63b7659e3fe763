import type { JSONWebKeySet } from 'jose';
import { readKeys, type VerificationKey } from '../auth/keys/verification-key.js';
import type { ClientDocument, ClientKeys } from './documents/client-document.js';
import type { ClientDocuments } from './documents/client-documents.js';
import { OAuthError } from './oauth-error.js';

/** A client that authenticates with its key. */
export type KeyedClient = Pick<ClientDocument, 'url'> & { readonly keys: ClientKeys };

/** The usable keys of a client. */
export interface ClientKeySet {
  readonly jwks: JSONWebKeySet;
  /** In the order of the key set. */
  readonly keys: readonly VerificationKey[];
  /** The time of the first use, soon after the fetch, on the clock of `performance.now()`. */
  readonly since: number;
}

/** The keys of clients that authenticate with `private_key_jwt`. */
export interface ClientKeySets {
  /**
   * @throws {OAuthError} `invalid_client`
   * @throws {UpstreamError} If they cannot be fetched at the moment.
   */
  get(client: KeyedClient, caller: string): Promise<ClientKeySet>;
  /**
   * Returns a newer key set than one that lacks a key; undefined if there can be none, or if that one is too new to be fetched again.
   *
   * @throws {OAuthError} `invalid_client`
   * @throws {UpstreamError} If it cannot be fetched at the moment: the client may have a new key.
   */
  getNewer(client: KeyedClient, caller: string, insufficient: ClientKeySet): Promise<ClientKeySet | undefined>;
}

/** More than clients need while keys replace others. */
const MAX_KEYS = 20;

/**
 * Anyone can publish keys, and send any number of forged assertions for them. OpenSSL takes up to two hundred times as long for larger RSA
 * keys, and the signatures of access tokens wait behind them.
 */
const MAX_RSA_BITS = 4_096;
const MAX_RSA_EXPONENT = 0xff_ff_ff_ffn;

/** A key set is not fetched again for this long after it was: many forged assertions must not cause many fetches. */
const COOL_DOWN_MS = 30_000;

export function createClientKeySets({ getKeys }: Pick<ClientDocuments, 'getKeys'>): ClientKeySets {
  const sets = new WeakMap<JSONWebKeySet, Promise<ClientKeySet>>();

  function read(jwks: JSONWebKeySet): Promise<ClientKeySet> {
    const known = sets.get(jwks);
    if (known !== undefined) return known;
    const set = readKeySet(jwks);
    sets.set(jwks, set);
    return set;
  }

  return {
    get: async ({ keys }, caller) => read('jwks' in keys ? keys.jwks : await getKeys(keys.jwksUri, caller)),
    async getNewer({ keys }, caller, { jwks, since }) {
      // Keys in the document are as new as the document.
      if ('jwks' in keys || performance.now() - since < COOL_DOWN_MS) return undefined;
      return read(await getKeys(keys.jwksUri, caller, jwks));
    },
  };
}

/** @throws {OAuthError} `invalid_client` */
async function readKeySet(jwks: JSONWebKeySet): Promise<ClientKeySet> {
  const since = performance.now();
  if (jwks.keys.length > MAX_KEYS) {
    const message = `The key set of the client must have at most ${MAX_KEYS} keys`;
    throw new OAuthError('invalid_client', message, 401, { advice: 'tell the publisher of the client' });
  }
  const { keys } = await readKeys(jwks.keys);
  return { jwks, keys: keys.filter(isQuick), since };
}

/** True if a signature is verified quickly with this key. */
function isQuick({ key: { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } }: VerificationKey): boolean {
  const { modulusLength = 0, publicExponent = 0n } = details;
  return type !== 'rsa' || (modulusLength <= MAX_RSA_BITS && publicExponent <= MAX_RSA_EXPONENT);
}
