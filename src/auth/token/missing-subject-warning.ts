import type { Logger } from '../../core/logger.js';
import type { TrustedIssuer } from '../../policy/resolve-issuer.js';

/** Says once for each issuer that its tokens name no user, and what that means for them. */
export function createMissingSubjectWarning(logger: Logger): (trusted: TrustedIssuer) => void {
  const warned = new Set<TrustedIssuer>();
  return (trusted) => {
    if (warned.has(trusted)) return;
    warned.add(trusted);
    const { issuer, subjectClaim } = trusted;
    logger.warn(
      `mcpAuth: a token of the issuer ${JSON.stringify(issuer)} has no claim ${JSON.stringify(subjectClaim)}: each such token is a user of its own, ` +
        'with sessions that end when it expires. Name the claim that says who the user is with the option subjectClaim of this issuer, ' +
        'or make the authorization server write that claim',
    );
  };
}
