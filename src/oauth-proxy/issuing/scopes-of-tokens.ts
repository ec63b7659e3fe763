import type { ResolvedOAuthProxy } from '../../policy/resolve-oauth-proxy.js';
import { OPENID_SCOPES } from '../../providers/provider-kind.js';

/** Of the scopes that this server has, those that the client asked for at the login; all, if it named none of the resource. */
export function grantedScopes(
  { scopes }: Pick<ResolvedOAuthProxy, 'scopes'>,
  asked: readonly string[],
): readonly string[] {
  const isOurs = (scope: string) => !OPENID_SCOPES.includes(scope) || scopes.includes(scope);
  const names = asked.filter((scope) => scope !== 'offline_access' && isOurs(scope));
  return names.length === 0 ? scopes : scopes.filter((scope) => asked.includes(scope));
}
