import { AuthError, UpstreamError } from '../../core/errors.js';
import type { Jwks } from '../../policy/issuer-options.js';
import { TENANT_ID } from '../../policy/issuer-tenants.js';
import type { KeySetContext, WantedKey } from './key-set.js';
import { createSkippedKeysReport } from './skipped-keys.js';
import { isForAlgorithm, readKeys, type VerificationKey } from './verification-key.js';

/** The current keys of one issuer. */
export interface UsableKeys {
  /**
   * Replaces all keys by the usable keys of a set, and logs the skipped ones unless the same line was just logged. A key that
   * was there before stays the same object.
   *
   * @throws {Error} If no key is usable; the previous keys stay.
   */
  fill(jwks: Jwks): Promise<void>;
  /**
   * Returns the key to verify a token with (RFC 7515, section 4.1.4), other than `failedKey`; undefined if there is none, or if there is no `kid`
   * and several keys fit.
   */
  select(wanted: WantedKey, failedKey?: VerificationKey): VerificationKey | undefined;
  /**
   * Returns the refusal of a token for which `select()` finds no key: `unsupported_algorithm` if the key with its `kid` is not for its algorithm,
   * otherwise `unknown_key`.
   */
  refusalOf(wanted: WantedKey): AuthError;
  clear(): void;
  /** True if it has this very object. */
  has(key: VerificationKey): boolean;
  /** True if it has an equal key, even if that is another object. */
  includes(key: VerificationKey): boolean;
  readonly size: number;
  /** Changes whenever the keys change. */
  readonly revision: number;
}

/** @param report Pass the same report for successive sets of one issuer, so that it does not repeat a line. */
export function createUsableKeys(context: KeySetContext, report = createSkippedKeysReport(context)): UsableKeys {
  let usable = new Map<string, VerificationKey>();
  let revision = 0;

  function replace(keys: readonly VerificationKey[]): void {
    const isSame = keys.length === usable.size && keys.every(({ identity }) => usable.has(identity));
    usable = new Map(keys.map((key) => [key.identity, usable.get(key.identity) ?? key]));
    if (!isSame) revision++;
  }

  /** The keys that the token may mean, and those of them that are for its algorithm. */
  function candidatesFor(wanted: WantedKey) {
    const { kid, alg } = wanted;
    const ofIssuer = [...usable.values()].filter((key) => isOfIssuer(key, wanted));
    const named = ofIssuer.filter((key) => kid === undefined || key.kid === kid);
    return { named, fitting: named.filter((key) => isForAlgorithm(key, alg)) };
  }

  return {
    async fill(jwks) {
      const { keys, skipped } = await readKeys(jwks.keys);
      report(skipped);
      if (keys.length === 0) throw new Error('it has no usable key');
      replace(keys);
    },
    select(wanted, failedKey) {
      const { fitting } = candidatesFor(wanted);
      if (fitting.length > 1 && wanted.kid === undefined) return undefined;
      return fitting.find((key) => key !== failedKey);
    },
    refusalOf(wanted) {
      const { kid, alg } = wanted;
      const { named, fitting } = candidatesFor(wanted);
      if (fitting.length > 1 && kid === undefined)
        return new AuthError('unknown_key', { reason: 'no kid, and several keys could be meant' });
      if (fitting.length === 0 && named.length > 0 && kid !== undefined)
        return new AuthError('unsupported_algorithm', { alg, kid });
      return new AuthError('unknown_key', { kid });
    },
    clear: () => replace([]),
    has: (key) => usable.get(key.identity) === key,
    includes: (key) => usable.has(key.identity),
    get size() {
      return usable.size;
    },
    get revision() {
      return revision;
    },
  };
}

/**
 * Returns the key to verify a token with, from a key set that cannot be fetched again.
 *
 * @throws {AuthError} {@link UsableKeys.refusalOf} the token if there is no such key.
 * @throws {UpstreamError} `key_set_unavailable` if there are no keys at all: that is not the client's fault.
 */
export function findIn(keys: UsableKeys, ...[wanted, failedKey]: Parameters<UsableKeys['select']>): VerificationKey {
  if (keys.size === 0) throw new UpstreamError('key_set_unavailable');
  const key = keys.select(wanted, failedKey);
  if (key === undefined) throw keys.refusalOf(wanted);
  return key;
}

/** Entra ID's keys for all tenants name their issuer: one tenant, or `{tenantid}` for any. A key of one must not sign for another. */
function isOfIssuer(key: VerificationKey, { issuer, tenant }: WantedKey): boolean {
  if (issuer === undefined || key.issuer === undefined) return true;
  return key.issuer.replace(TENANT_ID, () => String(tenant)) === issuer;
}
