import { LRUCache } from 'lru-cache';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import { createGuardedStore } from '../../store/guarded-store.js';
import { OAuthError } from '../oauth-error.js';
import type { OAuthProxySeal, SealedRefresh } from '../sealed-contents.js';
import { createRenewalChains, type Renewal } from './renewal-chains.js';
import { REFRESHING } from './spent-tokens.js';
import type { UpstreamTokens } from './upstream-tokens.js';

/**
 * Remembers the tokens that the identity provider gave at a refresh, until the client has got its own. If the provider rotates refresh
 * tokens, the earlier one no longer works. The client may try again after an outage, for example of the profile, and its login must go on.
 */
export interface Renewals {
  /**
   * Returns the remembered answer for one of our refresh tokens, unless its access token has expired. Else the answer of `renew`, which gets the
   * refresh token of an answer that has expired: it is the newest.
   */
  get(refresh: Refresh, renew: Renew): Promise<UpstreamTokens>;
  /** Forgets the answer, once the client has got its tokens. */
  forget(refresh: Refresh): void;
}

type Renew = (newest: string | undefined) => Promise<UpstreamTokens>;
type Refresh = Pick<SealedRefresh, 'login' | 'generation' | 'refreshToken'>;

const MAX_RENEWALS = 1_000;
const KEEP_MS = 600_000;

/** With a store, other replicas find the answers too. */
export function createRenewals(
  seal: OAuthProxySeal,
  { store, logger }: Pick<ResolvedAuth, 'store' | 'logger'>,
): Renewals {
  const own = new LRUCache<string, Renewal>({ max: MAX_RENEWALS, ttl: KEEP_MS });
  const chains = store && createRenewalChains(createGuardedStore(store, { ...REFRESHING, logger }), seal);
  const keyOf = ({ login, generation }: Refresh) => `${login} ${generation}`;

  /** Looks first: a provider that sees a rotated refresh token again may end the login. */
  async function findOrRenew(key: string, first: string, renew: Renew): Promise<Renewal> {
    const known = own.get(key);
    if (known !== undefined && !isOver(known)) return known;
    const newest = (await chains?.follow(key, known?.tokens.refreshToken ?? first)) ?? known;
    if (newest !== undefined && !isOver(newest)) return newest;
    const used = newest?.tokens.refreshToken ?? first;
    try {
      return { used, tokens: await renew(newest?.tokens.refreshToken) };
    } catch (error) {
      // Another replica may have renewed them at the same time.
      const found = error instanceof OAuthError ? await chains?.follow(key, used) : undefined;
      if (found === undefined || isOver(found)) throw error;
      return found;
    }
  }

  return {
    async get(refresh, renew) {
      // Without a refresh token, the user's token stays the same.
      if (refresh.refreshToken === undefined) return renew(undefined);
      const key = keyOf(refresh);
      const renewal = await findOrRenew(key, refresh.refreshToken, renew);
      if (own.get(key) === renewal) return renewal.tokens;
      own.set(key, renewal);
      await chains?.add(key, renewal, KEEP_MS);
      return renewal.tokens;
    },
    forget: (refresh) => void own.delete(keyOf(refresh)),
  };
}

function isOver({ tokens: { accessTokenExpiresAt = Number.POSITIVE_INFINITY } }: Renewal): boolean {
  return accessTokenExpiresAt * 1_000 <= Date.now();
}
