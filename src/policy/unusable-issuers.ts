import type { Logger } from '../core/logger.js';
import { namesNoTenant } from '../providers/entra.js';
import { opaqueProviderAt } from '../providers/opaque-providers.js';
import type { TrustedIssuer } from './resolve-issuer.js';

// A claim such as "https://example.com/roles" has dots too, but is one name.
const PATH_OF_CLAIMS = /^[\w-]+(?:\.[\w-]+)+$/;

interface Circumstances {
  /** True if the policy can check opaque tokens. */
  readonly acceptsOpaque: boolean;
  readonly logger: Logger;
}

/** Warns about issuers from which no token is accepted, or whose tokens get no scopes. */
export function warnAboutUnusableIssuers(
  who: string,
  issuers: readonly TrustedIssuer[],
  { acceptsOpaque, logger }: Circumstances,
): void {
  for (const { issuer, scopesClaim } of issuers) {
    if (namesNoTenant(issuer)) {
      logger.warn(
        `${who}: no token will be accepted for issuer "${issuer}": the "iss" of each token names the tenant that issued it. ` +
          'Write the id of your tenant in its place, or one entry of issuers for each tenant.',
      );
    }
    const opaque = acceptsOpaque ? undefined : opaqueProviderAt(issuer);
    if (opaque !== undefined) {
      logger.warn(
        `${who}: access tokens of issuer "${issuer}" will be refused: ${opaque} issues opaque access tokens, not JWTs. ` +
          `Check them with verifiers or introspection, or use an authorization server that issues JWT access tokens; users may log in there with ${opaque}.`,
      );
    }
    if (scopesClaim !== undefined && PATH_OF_CLAIMS.test(scopesClaim)) {
      logger.warn(
        `${who}: scopesClaim "${scopesClaim}" is the name of one claim, not a path into a claim; ` +
          'tokens that have no claim of this name get no scopes from it. Configure the authorization server to write the scopes into a claim with a simple name.',
      );
    }
  }
}
