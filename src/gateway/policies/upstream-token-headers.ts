import { type AuthInfo, getUpstreamToken } from '../../index.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import type { RouteConfig } from '../config/gateway-config.js';
import { StartupError } from '../startup-error.js';

/** Returns the function for `headers` of a backend that sends each caller's own token in addition to other headers. */
export function upstreamTokenHeaders(
  { name, prefix }: { readonly name: string; readonly prefix: string },
  others: Readonly<Record<string, string | undefined>> | undefined,
) {
  return async (auth: AuthInfo | undefined) => ({ ...others, [name]: `${prefix}${await getUpstreamToken(auth)}` });
}

/**
 * Refuses `backendAuth.upstreamToken` on a route whose callers have no token for another API.
 *
 * @throws {StartupError}
 */
export function requireUpstreamTokens({ backend }: RouteConfig, policy: ResolvedAuth | undefined): void {
  if (policy?.exchange !== undefined || policy?.oauthProxy?.issuing !== undefined) return;
  for (const { server } of backend?.targets ?? []) {
    if (!('backendAuth' in server) || server.backendAuth?.upstreamToken !== true) continue;
    throw new StartupError(
      `${server.backendAuth.at}.upstreamToken needs callers with a token of their own: write upstreamToken.exchange or a provider where users log in, such as github, in mcpAuthentication`,
    );
  }
}
