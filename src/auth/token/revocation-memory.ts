import type { RevocationMemory } from '../../oauth/issued-token-revocations.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import { issuedAuth } from './issued-auth.js';
import { createRevocations, type Revocations } from './revocations.js';
import { SharedRevocations } from './shared-revocations.js';

interface RevocationParts {
  readonly revocations: Revocations;
  readonly shared: SharedRevocations | undefined;
  readonly forgetRevoked: () => void;
}

/** Lets the OAuth proxy of the policy revoke logins, and ask if one was revoked. Undefined if this server issues no tokens. */
export function createRevocationMemory(
  { oauthProxy }: Pick<ResolvedAuth, 'oauthProxy'>,
  { revocations, shared, forgetRevoked }: RevocationParts,
): RevocationMemory | undefined {
  if (oauthProxy?.issuing === undefined) return undefined;
  const { href } = oauthProxy.resource;
  const memory: RevocationMemory = {
    revokeLogin(revoked) {
      (shared ?? revocations).addLogin(revoked);
      forgetRevoked();
    },
    async isRevoked(contents) {
      await shared?.ready();
      return revocations.includes(issuedAuth('', contents, href));
    },
  };
  oauthProxy.issuing.revocations.add(memory);
  return memory;
}

/** Creates one that knows the revocations in the store, for an OAuth proxy without an `mcpAuth()`. Undefined without a store. */
export function createStoredRevocationMemory({
  oauthProxy,
  store,
  logger,
  clockToleranceSeconds,
}: Pick<ResolvedAuth, 'oauthProxy' | 'store' | 'logger' | 'clockToleranceSeconds'>): RevocationMemory | undefined {
  if (store === undefined) return undefined;
  const forgetRevoked = () => undefined;
  const revocations = createRevocations(clockToleranceSeconds);
  const shared = new SharedRevocations(store, revocations, logger, forgetRevoked);
  return createRevocationMemory({ oauthProxy }, { revocations, shared, forgetRevoked });
}
