import type { GuardedStore } from '../../store/guarded-store.js';
import { fingerprint } from '../fingerprint.js';
import type { OAuthProxySeal } from '../sealed-contents.js';
import { createSharedTokens } from './shared-tokens.js';
import type { UpstreamTokens } from './upstream-tokens.js';

/** An answer of the identity provider to a refresh. */
export interface Renewal {
  /** Its refresh token that was sent. If it rotates refresh tokens, that one no longer works. */
  readonly used: string;
  readonly tokens: UpstreamTokens;
}

/** A value in the store cannot be kept for longer than was said first, so a renewal that an outage has interrupted has a second place. */
type Place = 'renewal' | 'interrupted';

/**
 * Creates the access to renewals that replicas share in the store. Each has its place under the refresh token that was sent for it, so those of an
 * outage that lasts longer than an access token form a chain: a value in the store is never replaced.
 */
export function createRenewalChains(store: GuardedStore, seal: OAuthProxySeal) {
  const shared = createSharedTokens(store, seal);
  const nameOf = (place: Place, key: string, used: string) => `refresh ${place} ${key} ${fingerprint(used)}`;
  const addTo =
    (place: Place) =>
    (key: string, { used, tokens }: Renewal, keepMs: number) =>
      shared.add(nameOf(place, key, used), tokens, keepMs);
  const find = async (key: string, used: string): Promise<UpstreamTokens | undefined> =>
    (await shared.find(nameOf('renewal', key, used))) ?? (await shared.find(nameOf('interrupted', key, used)));
  return {
    add: addTo('renewal'),
    keep: addTo('interrupted'),
    /** Returns the newest renewal from a refresh token on. */
    async follow(key: string, from: string): Promise<Renewal | undefined> {
      // A provider may keep a refresh token, or give an earlier one again.
      const followed = new Set<string>();
      let newest: Renewal | undefined;
      for (let used: string | undefined = from; used !== undefined && !followed.has(used); ) {
        followed.add(used);
        const tokens: UpstreamTokens | undefined = await find(key, used);
        if (tokens !== undefined) newest = { used, tokens };
        used = tokens?.refreshToken;
      }
      return newest;
    },
  };
}
