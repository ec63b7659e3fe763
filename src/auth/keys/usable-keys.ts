import { AuthError, UpstreamError } from '../../core/errors.js';
import type { Jwks } from '../../policy/auth-options.js';
import type { KeySetContext } from './key-set.js';
import { suitsAlgorithm } from './signature.js';
import { createSkippedKeysReport } from './skipped-keys.js';
import { readKeys, type VerificationKey } from './verification-key.js';

/** The keys of one issuer at the moment. */
export interface UsableKeys {
  /**
   * Puts the usable keys of a set in the place of all keys, and says in the log which are not usable, unless it has just
   * said so. A key that was there before stays the same object.
   *
   * @throws {Error} Where no key is usable; the keys from before stay.
   */
  fill(jwks: Jwks): Promise<void>;
  /**
   * The key to verify with (RFC 7515, section 4.1.4), other than the one that did not; undefined where none is known that
   * could be meant.
   *
   * @throws {AuthError} `unsupported_algorithm` where the named key is not for this algorithm, `unknown_key` where no
   * key is named and several could be meant.
   */
  select(kid: string | undefined, alg: string, failedKey?: VerificationKey): VerificationKey | undefined;
  clear(): void;
  has(key: VerificationKey): boolean;
  /** True if it has this key, also after it was read again. */
  includes(key: VerificationKey): boolean;
  readonly size: number;
}

/** @param report That of another ring for the same keys. */
export function createUsableKeys(context: KeySetContext, report = createSkippedKeysReport(context)): UsableKeys {
  let usable = new Map<string, VerificationKey>();
  return {
    async fill(jwks) {
      const { keys, skipped } = await readKeys(jwks.keys);
      report(skipped);
      if (keys.length === 0) throw new Error('it holds no usable key');
      usable = new Map(keys.map((key) => [key.identity, usable.get(key.identity) ?? key]));
    },
    select(kid, alg, failedKey) {
      const named = [...usable.values()].filter((key) => kid === undefined || key.kid === kid);
      const fit = named.filter((key) => isFor(key, alg));
      const left = fit.filter((key) => key !== failedKey);
      if (fit.length > 1 && kid === undefined) {
        throw new AuthError('unknown_key', { reason: 'no kid, and several keys could be meant' });
      }
      if (left.length > 0) return left[0];
      if (fit.length === 0 && named.length > 0 && kid !== undefined)
        throw new AuthError('unsupported_algorithm', { alg, kid });
      return undefined;
    },
    clear() {
      usable = new Map();
    },
    has: (key) => usable.get(key.identity) === key,
    includes: (key) => usable.has(key.identity),
    get size() {
      return usable.size;
    },
  };
}

/**
 * The key to verify with, of a ring that holds all that there are.
 *
 * @throws {AuthError} As {@link UsableKeys.select}, and `unknown_key`.
 * @throws {UpstreamError} Where no key of the set can be used: our trouble, not the client's.
 */
export function findIn(keys: UsableKeys, ...[kid, alg, failedKey]: Parameters<UsableKeys['select']>): VerificationKey {
  if (keys.size === 0) throw new UpstreamError('key_set_unavailable');
  const key = keys.select(kid, alg, failedKey);
  if (key === undefined) throw new AuthError('unknown_key', { kid });
  return key;
}

function isFor(key: VerificationKey, alg: string): boolean {
  // `EdDSA` and `Ed25519` name the same algorithm (RFC 9864, section 2.2), so the key itself has to tell.
  const declared = key.alg === undefined || key.alg === alg || key.key.asymmetricKeyType === 'ed25519';
  return declared && suitsAlgorithm(key.key, alg);
}
