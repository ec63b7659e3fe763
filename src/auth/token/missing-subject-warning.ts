import type { Logger } from '../../core/logger.js';
import type { TrustedIssuer } from '../../policy/resolve-issuer.js';

/** Logs once for each issuer that its tokens name no user, and what follows from that. */
export function createMissingSubjectWarning(logger: Logger): (trusted: TrustedIssuer) => void {
  const warned = new Set<TrustedIssuer>();
  return (trusted) => {
    if (warned.has(trusted)) return;
    warned.add(trusted);
    const { issuer, subjectClaim } = trusted;
    logger.warn(
      `mcpAuth(): a token of issuer ${JSON.stringify(issuer)} has no claim ${JSON.stringify(subjectClaim)}. Each such token counts as a separate user, ` +
        'whose sessions end when the token expires. Set subjectClaim to the claim that identifies the user, ' +
        'or configure the authorization server to add that claim',
    );
  };
}
