import type { ResolvedOAuthProxy } from '../policy/resolve-oauth-proxy.js';
import { OPENID_SCOPES } from '../providers/provider-kind.js';
import type { Client } from './client.js';

/** The scopes that a login asks the upstream server for, in the spelling of our resource. */
export interface LoginScopes {
  readonly scopes: readonly string[];
  /** True if some of them are our default, which the client did not name. */
  readonly hasDefaultScopes: boolean;
}

/**
 * Returns the scopes of a login. A client that names no scope of the resource gets our default (RFC 6749, section 3.3): for such a login
 * Entra ID answers an error, or issues a token for another API, and other servers issue one that every call refuses.
 *
 * @param asked The scopes that the client names.
 */
export function loginScopes(
  { defaultScopes }: Pick<ResolvedOAuthProxy, 'defaultScopes'>,
  { scopes: registered }: Pick<Client, 'scopes'>,
  asked: readonly string[],
): LoginScopes {
  const isOurs = (scope: string) => !OPENID_SCOPES.includes(scope) || defaultScopes.includes(scope);
  if (asked.some((scope) => scope !== OFFLINE_ACCESS && isOurs(scope)))
    return { scopes: asked, hasDefaultScopes: false };
  // A client that names some scopes of OpenID Connect has decided about refresh tokens.
  const added = defaultScopes
    .filter((scope) => asked.length === 0 || scope !== OFFLINE_ACCESS)
    .filter((scope) => registered?.includes(scope) ?? true);
  return {
    scopes: [...new Set([...asked, ...added])],
    hasDefaultScopes: added.some((scope) => !asked.includes(scope)),
  };
}

const OFFLINE_ACCESS = 'offline_access';
