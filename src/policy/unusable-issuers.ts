import type { Logger } from '../core/logger.js';
import { opaqueProviderAt } from '../providers/opaque-providers.js';
import { identityNameOf } from './identity-tables.js';
import type { TrustedIssuer } from './resolve-issuer.js';

interface WarningContext {
  /** True if the policy can check opaque tokens. */
  readonly acceptsOpaque: boolean;
  readonly logger: Logger;
}

/** The member of `provider` for a server with opaque access tokens. */
function loginOf(opaque: string): string {
  const name = identityNameOf(opaque);
  return name === undefined ? 'oauth2: { … }' : `${name}: { allow: … }`;
}

/** Warns about issuers whose access tokens are opaque. Returns true if there are any. */
export function warnAboutUnusableIssuers(
  who: string,
  issuers: readonly TrustedIssuer[],
  { acceptsOpaque, logger }: WarningContext,
): boolean {
  let hasWarned = false;
  for (const { issuer } of issuers) {
    const opaque = acceptsOpaque ? undefined : opaqueProviderAt(issuer);
    if (opaque !== undefined) {
      hasWarned = true;
      logger.warn(
        `${who}: access tokens of issuer "${issuer}" will be refused: ${opaque} issues opaque access tokens, not JWTs. ` +
          `To let users log in with ${opaque}, leave issuer out and write provider: { ${loginOf(opaque)} }: this server then issues the tokens. Or check them with verifiers or introspection.`,
      );
    }
  }
  return hasWarned;
}
