import { LRUCache } from 'lru-cache';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import { createGuardedStore, type GuardedStore } from '../../store/guarded-store.js';
import type { Awaitable } from '../../store/store.js';
import { fingerprint } from '../fingerprint.js';
import { CODE_SECONDS, type OAuthProxySeal } from '../sealed-contents.js';
import { createSharedTokens } from './shared-tokens.js';
import type { UpstreamTokens } from './upstream-tokens.js';

/**
 * Remembers the tokens that the identity provider gave for a code, if an outage has cut the login after that, for example of the profile or
 * of `allow`. The code no longer works there, and the client may try again.
 */
export interface RedeemedCodes {
  /** Returns the tokens that are kept for a code. Undefined also if the store is down: a login does not need it. */
  find(code: string): Awaitable<UpstreamTokens | undefined>;
  /** Keeps the tokens as long as a code of the OAuth proxy lives. */
  keep(code: string, tokens: UpstreamTokens): Awaitable<void>;
  /**
   * Takes the tokens that are kept, for one login. Returns false if another request has.
   *
   * @throws {UpstreamError} If the store is down.
   */
  take(code: string): Awaitable<boolean>;
}

const MAX_CODES = 1_000;
const KEEP_MS = CODE_SECONDS * 1_000;

/** The use of the store, for the log. */
const LOGGING_IN = { who: 'OAuth proxy', meanwhile: 'a login that an outage has cut must begin again' };

/** With a store, the client may try again at another replica. */
export function createRedeemedCodes(
  seal: OAuthProxySeal,
  { store, logger }: Pick<ResolvedAuth, 'store' | 'logger'>,
): RedeemedCodes {
  return store === undefined
    ? createOwnCodes()
    : createSharedCodes(createGuardedStore(store, { ...LOGGING_IN, logger }), seal);
}

function createOwnCodes(): RedeemedCodes {
  const codes = new LRUCache<string, UpstreamTokens>({ max: MAX_CODES, ttl: KEEP_MS, ttlAutopurge: true });
  return {
    find: (code) => codes.get(code),
    keep: (code, tokens) => void codes.set(code, tokens),
    take: (code) => codes.delete(code),
  };
}

function createSharedCodes(store: GuardedStore, seal: OAuthProxySeal): RedeemedCodes {
  const shared = createSharedTokens(store, seal, KEEP_MS);
  const keyOf = (what: 'tokens' | 'taken', code: string) => `code ${what} ${fingerprint(code)}`;
  // The log has a line about a store that is down.
  const ignore = () => undefined;
  return {
    find: (code) => shared.find(keyOf('tokens', code)).catch(ignore),
    keep: (code, tokens) => shared.add(keyOf('tokens', code), tokens).catch(ignore),
    take: (code) => store.add(keyOf('taken', code), '1', KEEP_MS),
  };
}
