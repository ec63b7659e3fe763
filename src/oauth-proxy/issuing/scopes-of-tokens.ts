import type { ResolvedOAuthProxy } from '../../policy/resolve-oauth-proxy.js';

/** Of the scopes that this server has, those that the client asked for; all, if it asked for none, or only for a refresh token. */
export function grantedScopes(
  { scopes }: Pick<ResolvedOAuthProxy, 'scopes'>,
  asked: readonly string[],
): readonly string[] {
  return asked.every((scope) => scope === 'offline_access') ? scopes : scopes.filter((scope) => asked.includes(scope));
}
