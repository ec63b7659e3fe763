import type { IssuedTokenAuthority } from '../../oauth/issued-token-authorities.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import { issuedAuth } from './issued-auth.js';
import type { Revocations } from './revocations.js';
import type { SharedRevocations } from './shared-revocations.js';

interface Memory {
  readonly revocations: Revocations;
  readonly shared: SharedRevocations | undefined;
  readonly forgetRevoked: () => void;
}

/** Lets the OAuth proxy of the policy revoke logins, and ask if one was revoked. Undefined if this server issues no tokens. */
export function createIssuedTokenAuthority(
  { oauthProxy }: ResolvedAuth,
  { revocations, shared, forgetRevoked }: Memory,
): IssuedTokenAuthority | undefined {
  if (oauthProxy?.issuing === undefined) return undefined;
  const { href } = oauthProxy.resource;
  const authority: IssuedTokenAuthority = {
    revokeLogin(revoked) {
      (shared ?? revocations).addLogin(revoked);
      forgetRevoked();
    },
    async isRevoked(contents) {
      await shared?.ready();
      return revocations.includes(issuedAuth('', contents, href));
    },
  };
  oauthProxy.issuing.authorities.add(authority);
  return authority;
}
