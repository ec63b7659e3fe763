import type { GuardedStore } from '../../store/guarded-store.js';
import type { OAuthProxySeal } from '../sealed-contents.js';
import type { UpstreamTokens } from './upstream-tokens.js';

/** Creates the access to users' tokens that replicas share in the store, where they are encrypted. */
export function createSharedTokens(store: GuardedStore, seal: OAuthProxySeal) {
  return {
    async add(key: string, tokens: UpstreamTokens, keepMs: number): Promise<void> {
      await store.add(key, seal.close('issued_renewal', { of: key, ...tokens }, keepMs / 1_000), keepMs);
    },
    async find(key: string): Promise<UpstreamTokens | undefined> {
      const opened = seal.open('issued_renewal', await store.get(key));
      if (opened?.of !== key) return undefined;
      const { of: _, ...tokens } = opened;
      return tokens;
    },
  };
}
