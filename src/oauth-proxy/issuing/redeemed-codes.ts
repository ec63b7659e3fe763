import { LRUCache } from 'lru-cache';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import { createGuardedStore, type GuardedStore } from '../../store/guarded-store.js';
import type { Awaitable } from '../../store/store.js';
import { CODE_SECONDS, type OAuthProxySeal } from '../sealed-contents.js';
import { createSharedTokens } from './shared-tokens.js';
import type { UpstreamTokens } from './upstream-tokens.js';

/**
 * Remembers the tokens that the identity provider gave for a code, if an outage interrupted the login after that, for example of the profile or
 * of `allow`. The code no longer works there, and the client may try again.
 *
 * `login` is a fingerprint of the code and of the PKCE verifier of its login: the provider checks the verifier only when it exchanges the code.
 */
export interface RedeemedCodes {
  /** Returns the tokens that are kept for a login. Undefined if there are none, or if the store is down: a login does not need it. */
  find(login: string): Awaitable<UpstreamTokens | undefined>;
  /** Keeps the tokens as long as a code of the OAuth proxy lives. */
  keep(login: string, tokens: UpstreamTokens): Awaitable<void>;
  /**
   * Takes the tokens that are kept, for one request. Returns false if another request has.
   *
   * @throws {UpstreamError} If the store is down.
   */
  take(login: string): Awaitable<boolean>;
}

const MAX_CODES = 1_000;
const KEEP_MS = CODE_SECONDS * 1_000;

/** The use of the store, for the log. */
const LOGGING_IN = { who: 'OAuth proxy', meanwhile: 'a login that an outage interrupted must start over' };

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
    find: (login) => codes.get(login),
    keep: (login, tokens) => void codes.set(login, tokens),
    take: (login) => codes.delete(login),
  };
}

function createSharedCodes(store: GuardedStore, seal: OAuthProxySeal): RedeemedCodes {
  const shared = createSharedTokens(store, seal);
  const keyOf = (what: 'tokens' | 'taken', login: string) => `code ${what} ${login}`;
  // The log has a line about a store that is down.
  const ignore = () => undefined;
  return {
    find: (login) => shared.find(keyOf('tokens', login)).catch(ignore),
    keep: (login, tokens) => shared.add(keyOf('tokens', login), tokens, KEEP_MS).catch(ignore),
    take: (login) => store.add(keyOf('taken', login), '1', KEEP_MS),
  };
}
