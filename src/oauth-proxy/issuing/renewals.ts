import { LRUCache } from 'lru-cache';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import { createGuardedStore } from '../../store/guarded-store.js';
import { OAuthError } from '../oauth-error.js';
import type { OAuthProxySeal, SealedRefresh } from '../sealed-contents.js';
import { createSharedTokens } from './shared-tokens.js';
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
type Refresh = Pick<SealedRefresh, 'login' | 'generation'>;

const MAX_RENEWALS = 1_000;
const KEEP_MS = 600_000;

/** With a store, other replicas find the answers too. */
export function createRenewals(
  seal: OAuthProxySeal,
  { store, logger }: Pick<ResolvedAuth, 'store' | 'logger'>,
): Renewals {
  const renewals = new LRUCache<string, UpstreamTokens>({ max: MAX_RENEWALS, ttl: KEEP_MS });
  const shared = store && createSharedTokens(createGuardedStore(store, { ...REFRESHING, logger }), seal, KEEP_MS);
  const keyOf = ({ login, generation }: Refresh) => `refresh renewal ${login} ${generation}`;

  /** Looks first: a provider that sees a rotated refresh token again may end the login. */
  async function findOrRenew(key: string, renew: Renew): Promise<UpstreamTokens> {
    const known = renewals.get(key) ?? (await shared?.find(key));
    if (known !== undefined && !isOver(known)) return known;
    try {
      return await renew(known?.refreshToken);
    } catch (error) {
      // Another replica may have renewed them at the same time.
      const found = error instanceof OAuthError ? await shared?.find(key) : undefined;
      if (found === undefined || isOver(found)) throw error;
      return found;
    }
  }

  return {
    async get(refresh, renew) {
      const key = keyOf(refresh);
      const tokens = await findOrRenew(key, renew);
      if (renewals.get(key) === tokens) return tokens;
      renewals.set(key, tokens);
      await shared?.add(key, tokens);
      return tokens;
    },
    forget: (refresh) => void renewals.delete(keyOf(refresh)),
  };
}

function isOver({ accessTokenExpiresAt = Number.POSITIVE_INFINITY }: UpstreamTokens): boolean {
  return accessTokenExpiresAt * 1_000 <= Date.now();
}
