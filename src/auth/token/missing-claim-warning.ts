import type { Logger } from '../../core/logger.js';
import type { TrustedIssuer } from '../../policy/resolve-issuer.js';
import { type Claims, claimAt } from './claims.js';

/** Logs once for each issuer that its tokens lack a claim that the policy names, and what follows from that. */
export function createMissingClaimWarning(logger: Logger): (trusted: TrustedIssuer, payload: Claims) => void {
  const settled = new Map<string, Set<string>>();

  function warnOnce(trusted: TrustedIssuer, claim: string, isThere: boolean, consequence: string): void {
    const claims = settled.get(trusted.name) ?? new Set();
    settled.set(trusted.name, claims);
    if (claims.has(claim)) return;
    claims.add(claim);
    if (isThere) return;
    const [issuer, name] = [JSON.stringify(trusted.name), JSON.stringify(claim)];
    logger.warn(`mcpAuth(): a token of issuer ${issuer} has no claim ${name}. ${consequence}`);
  }

  return (trusted, payload) => {
    const { subjectClaim, scopesClaim } = trusted;
    const subject = claimAt(payload, subjectClaim);
    // Most tokens have it, so nothing is stored for them.
    if (subject === undefined || subject === '') warnOnce(trusted, subjectClaim, false, NO_SUBJECT);
    if (scopesClaim === undefined) return;
    // A user without roles may have a token without the claim. If the first token has it, its name is right.
    warnOnce(trusted, scopesClaim, claimAt(payload, scopesClaim) !== undefined, NO_SCOPES);
  };
}

const NO_SUBJECT =
  'Each such token counts as a separate user, whose sessions end when the token expires. Set subjectClaim to the claim that identifies ' +
  'the user, or configure the authorization server to add that claim';
const NO_SCOPES =
  'Such tokens get scopes from "scope" and "scp" alone. Set scopesClaim to the claim that has the scopes, or to the path to it ' +
  '(realm_access.roles), or configure the authorization server to add that claim';
