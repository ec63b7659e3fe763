import type { Logger } from '../core/logger.js';
import { opaqueProviderAt } from '../providers/opaque-providers.js';
import type { TrustedIssuer } from './resolve-issuer.js';

interface Circumstances {
  /** True if the policy can check opaque tokens. */
  readonly acceptsOpaque: boolean;
  readonly logger: Logger;
}

/** Warns about issuers whose access tokens are opaque. */
export function warnAboutUnusableIssuers(
  who: string,
  issuers: readonly TrustedIssuer[],
  { acceptsOpaque, logger }: Circumstances,
): void {
  for (const { issuer } of issuers) {
    const opaque = acceptsOpaque ? undefined : opaqueProviderAt(issuer);
    if (opaque !== undefined) {
      logger.warn(
        `${who}: access tokens of issuer "${issuer}" will be refused: ${opaque} issues opaque access tokens, not JWTs. ` +
          `Check them with verifiers or introspection, or use an authorization server that issues JWT access tokens; users may log in there with ${opaque}.`,
      );
    }
  }
}
