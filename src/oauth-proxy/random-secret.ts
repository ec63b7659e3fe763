import type { Logger } from '../core/logger.js';
import type { ResolvedFacade } from '../policy/resolve-facade.js';

/** Facades that still exist and have a random secret. */
let withRandomSecret: WeakRef<ResolvedFacade>[] = [];

/**
 * Warns of a facade whose secret is random; once more where another one has the same resource and issuer, since each of
 * the two takes the other's clients for unknown.
 */
export function warnOfRandomSecret(facade: ResolvedFacade, logger: Logger): void {
  logger.warn(
    'facade.secret is not set: a random one is used, so that every client must log in anew after a restart, and replicas do not know each other',
  );
  const { issuer, resource } = facade;
  withRandomSecret = withRandomSecret.filter((other) => other.deref() !== undefined);
  if (withRandomSecret.some((other) => isTwin(facade, other.deref()))) {
    logger.warn(
      `facade.secret is not set in two policies for ${resource.href} with the issuer ${issuer}: clients of one are unknown to the other. ` +
        'Hand the same options object to mcpAuth() and protectedResourceMetadata(), or what mcpAuth() returned to the latter, or set facade.secret',
    );
  }
  withRandomSecret.push(new WeakRef(facade));
}

function isTwin(facade: ResolvedFacade, other: ResolvedFacade | undefined): boolean {
  return other?.resource.href === facade.resource.href && other.issuer === facade.issuer;
}
