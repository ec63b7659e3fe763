import type { Logger } from '../core/logger.js';
import type { ResolvedOAuthProxy } from '../policy/resolve-oauth-proxy.js';

/** OAuthProxys that still exist and have a random secret. */
let withRandomSecret: WeakRef<ResolvedOAuthProxy>[] = [];

/**
 * Warns of an OAuth proxy whose secret is random; once more where another one has the same resource and issuer, since each of
 * the two takes the other's clients for unknown.
 */
export function warnOfRandomSecret(oauthProxy: ResolvedOAuthProxy, logger: Logger): void {
  logger.warn(
    'oauthProxy.secret is not set: a random one is used, so that every client must log in again after a restart, and replicas do not know each other',
  );
  const { issuer, resource } = oauthProxy;
  const others = withRandomSecret.flatMap((other) => other.deref() ?? []);
  if (others.some((other) => other.resource.href === resource.href && other.issuer === issuer)) {
    logger.warn(
      `oauthProxy.secret is not set in two policies for ${resource.href} with the issuer ${issuer}: clients of one are unknown to the other. ` +
        'Hand the same options object to mcpAuth() and protectedResourceMetadata(), or what mcpAuth() returned to the latter, or set oauthProxy.secret',
    );
  }
  withRandomSecret = [...others, oauthProxy].map((each) => new WeakRef(each));
}
