import { LRUCache } from 'lru-cache';
import type { SealedRefresh } from '../sealed-contents.js';
import type { UpstreamTokens } from './upstream-tokens.js';

/**
 * Remembers the tokens that the identity provider gave at a refresh, until the client has got its own. If the provider rotates refresh
 * tokens, the earlier one no longer works. The client may try again after an outage, for example of the profile, and its login must go on.
 */
export interface Renewals {
  /** Returns the remembered answer for one of our refresh tokens, else the answer of `renew`. */
  get(refresh: Refresh, renew: () => Promise<UpstreamTokens>): Promise<UpstreamTokens>;
  /** Forgets the answer, once the client has got its tokens. */
  forget(refresh: Refresh): void;
}

type Refresh = Pick<SealedRefresh, 'login' | 'generation'>;

const MAX_RENEWALS = 1_000;
const KEEP_MS = 600_000;

export function createRenewals(): Renewals {
  const renewals = new LRUCache<string, UpstreamTokens>({ max: MAX_RENEWALS, ttl: KEEP_MS });
  const keyOf = ({ login, generation }: Refresh) => `${login} ${generation}`;
  return {
    async get(refresh, renew) {
      const known = renewals.get(keyOf(refresh));
      if (known !== undefined) return known;
      const renewed = await renew();
      renewals.set(keyOf(refresh), renewed);
      return renewed;
    },
    forget: (refresh) => void renewals.delete(keyOf(refresh)),
  };
}
