import type { ResolvedOAuthProxy } from '../../policy/resolve-oauth-proxy.js';

/** Of the scopes that this server has, those that the client asked for; all, if it asked for none. */
export function grantedScopes(
  { scopes }: Pick<ResolvedOAuthProxy, 'scopes'>,
  asked: readonly string[],
): readonly string[] {
  return asked.length === 0 ? scopes : scopes.filter((scope) => asked.includes(scope));
}
