import { LRUCache } from 'lru-cache';
import { atMost } from '../../core/at-most.js';
import { shareValue } from '../../core/shared-state.js';
import type { RevokedLogin } from '../../oauth/revoked-logins.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import { createGuardedStore, type GuardedStore } from '../../store/guarded-store.js';
import { CODE_SECONDS } from '../sealed-contents.js';

/**
 * Remembers the codes that were exchanged for tokens, with the login of these tokens: a second use may mean theft, and ends that login (RFC 6749,
 * section 4.1.2). A key is a fingerprint of the code and of the PKCE verifier, as that of `RedeemedCodes`.
 */
export interface UsedCodes {
  /** Returns the login that a code was used for. Undefined if it was not used. */
  find(key: string): Promise<RevokedLogin | undefined>;
  /** Notes that a code is used for a login. Returns false if another request has used it: of two at once, one is first. */
  use(key: string, login: RevokedLogin): Promise<boolean>;
}

const MAX_CODES = 100_000;
const KEEP_MS = CODE_SECONDS * 1_000;

/** The use of the store, for the log. */
const LOGGING_IN = { who: 'OAuth proxy', meanwhile: 'each process refuses the codes that were used there' };

/** It does not belong to a policy, since a reload makes another one. */
const ownCodes = shareValue(
  'used codes',
  () => new LRUCache<string, RevokedLogin>({ ...atMost(MAX_CODES), ttl: KEEP_MS }),
);

/** With a store, a code can be used at one replica only. A login does not need the store, so each process also remembers its own codes. */
export function createUsedCodes({ store, logger }: Pick<ResolvedAuth, 'store' | 'logger'>): UsedCodes {
  const shared = store && createSharedCodes(createGuardedStore(store, { ...LOGGING_IN, logger }));
  return {
    find: async (key) => ownCodes.get(key) ?? (await shared?.find(key)),
    async use(key, login) {
      if (ownCodes.has(key)) return false;
      ownCodes.set(key, login);
      const isFirst = (await shared?.use(key, login)) ?? true;
      // The login that another replica made of the code is the one to end.
      if (!isFirst) ownCodes.delete(key);
      return isFirst;
    },
  };
}

function createSharedCodes(store: GuardedStore) {
  const keyOf = (key: string) => `code used ${key}`;
  // The log has a line about a store that is down.
  const ignore = () => undefined;
  const find = async (key: string): Promise<RevokedLogin | undefined> => {
    const text = await store.get(keyOf(key));
    return text === undefined ? undefined : (JSON.parse(text) as RevokedLogin);
  };
  const use = async (key: string, { login, expiry }: RevokedLogin) =>
    store.add(keyOf(key), JSON.stringify({ login, expiry }), KEEP_MS);
  return {
    find: (key: string) => find(key).catch(ignore),
    use: (key: string, login: RevokedLogin): Promise<boolean | undefined> => use(key, login).catch(ignore),
  };
}
