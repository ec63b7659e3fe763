import type { TokenExamination } from '../auth/examine-token.js';
import { claimOf, isNumericDate, scopesOf, stringsOf } from '../auth/token/claims.js';
import { TOKEN_CHECKS, type TokenCheck, type TokenFault } from '../auth/token/token-faults.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { type Finding, reporterFor } from './finding.js';
import { explanationOf, shown } from './token-explanations.js';

type ReadToken = NonNullable<TokenExamination['read']>;

/** A line for each fault, and for each check that the token stood where there is something to show. */
export function findingsOf({ faults, read }: TokenExamination, policy: ResolvedAuth): Finding[] {
  return TOKEN_CHECKS.flatMap((check) => {
    const found = faults.filter((fault) => fault.check === check);
    if (found.length > 0) return found.map((fault) => findingFor(fault, read, policy));
    const seen = read && seenBy(check, read, policy);
    return read === undefined || seen === undefined ? [] : [reporterFor(stepOf(check, read)).ok(seen)];
  });
}

function findingFor(fault: TokenFault, read: ReadToken | undefined, policy: ResolvedAuth): Finding {
  const { check, error } = fault;
  const report = reporterFor(stepOf(check, read, error.evidence.claim));
  const [seen, affects, fix] = explanationOf(fault, {
    payload: read?.jwt.payload ?? {},
    trusted: read?.trusted,
    policy,
  });
  // A server whose keys cannot be read says nothing against the token, and it may be read elsewhere.
  const finding =
    error.code === 'key_set_unavailable' ? report.warning(seen, affects, fix) : report.fault(seen, affects, fix);
  return { ...finding, code: error.code };
}

/** @param claim The one that a fault is about. */
function stepOf(check: TokenCheck, read: ReadToken | undefined, claim?: unknown): string {
  switch (check) {
    case 'issuer':
      return 'token iss';
    case 'type':
      return 'token kind';
    case 'audience':
      return `token ${read?.trusted.audienceClaim}`;
    case 'requiredClaims':
    case 'names':
      return `token ${claim}`;
    case 'scopeClaims':
    case 'requiredScopes':
      return 'token scope';
    default:
      return `token ${check}`;
  }
}

/** What a good token shows; undefined where a line would say nothing. */
function seenBy(check: TokenCheck, { jwt, trusted }: ReadToken, policy: ResolvedAuth): string | undefined {
  const { header, payload, alg, kid } = jwt;
  switch (check) {
    case 'form':
      return `JWT, ${alg}, typ ${typeof header.typ === 'string' ? header.typ : 'not stated'}`;
    case 'issuer':
      return trusted.issuer;
    case 'signature':
      return `${alg}, key ${shown(kid)}`;
    case 'type':
      return 'access token';
    case 'time':
      return seenTime(claimOf(payload, 'exp'), policy.clockToleranceSeconds);
    case 'audience':
      return stringsOf(payload, trusted.audienceClaim)?.join(', ');
    case 'requiredScopes':
      return scopesOf(payload, trusted.scopesClaim).join(' ') || 'none';
    default:
      return undefined;
  }
}

function seenTime(exp: unknown, toleranceSeconds: number): string {
  if (!isNumericDate(exp)) return 'does not expire';
  const left = Math.floor(exp - Date.now() / 1000);
  return left > 0 ? `expires in ${left} seconds` : `expired ${-left} seconds ago; ${toleranceSeconds} are tolerated`;
}
