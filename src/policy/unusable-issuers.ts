import type { Logger } from '../core/logger.js';
import { opaqueProviderAt } from '../providers/opaque-providers.js';
import type { TrustedIssuer } from './resolve-issuer.js';

/** Warns about issuers whose access tokens are opaque. */
export function warnAboutUnusableIssuers(who: string, issuers: readonly TrustedIssuer[], logger: Logger): void {
  for (const { issuer } of issuers) {
    const opaque = opaqueProviderAt(issuer);
    if (opaque !== undefined) {
      logger.warn(
        `${who}: access tokens of issuer "${issuer}" will be refused: ${opaque} issues opaque access tokens, not JWTs. ` +
          `Use an authorization server that issues JWT access tokens; users may log in there with ${opaque}.`,
      );
    }
  }
}
