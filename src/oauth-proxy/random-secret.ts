import type { Logger } from '../core/logger.js';
import type { ResolvedOAuthProxy } from '../policy/resolve-oauth-proxy.js';

/** The OAuth proxies that still exist and have a random secret. */
let withRandomSecret: WeakRef<ResolvedOAuthProxy>[] = [];

/**
 * Warns that an OAuth proxy has a random secret. Warns again if another one has the same resource and issuer, because neither
 * knows the other's clients.
 */
export function warnOfRandomSecret(oauthProxy: ResolvedOAuthProxy, logger: Logger): void {
  logger.warn(
    'oauthProxy.secret is not set: a random one is used, so every client must log in again after a restart, and replicas do not accept the clients of each other',
  );
  const { issuer, resource } = oauthProxy;
  const others = withRandomSecret.flatMap((other) => other.deref() ?? []);
  if (others.some((other) => other.resource.href === resource.href && other.issuer === issuer)) {
    logger.warn(
      `oauthProxy.secret is not set in two policies for ${resource.href} with the issuer ${issuer}: each refuses the clients of the other. ` +
        'Set oauthProxy.secret, or call protectedResourceMetadata() with the options object or the result of mcpAuth()',
    );
  }
  withRandomSecret = [...others, oauthProxy].map((each) => new WeakRef(each));
}
