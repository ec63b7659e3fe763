import { inspectToken, type TokenInspection } from '../auth/inspect-token.js';
import { claimOf, isNumericDate, scopesOf, stringsOf } from '../auth/token/claims.js';
import { TOKEN_CHECKS, type TokenCheck, type TokenFault } from '../auth/token/token-faults.js';
import { isToken68 } from '../oauth/credentials.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { type Finding, reporterFor } from './finding.js';
import { initialize, isPrivate, type Probe } from './probe.js';
import { checkTokenAnswer, type TokenAnswer, UNSENT } from './token-answer.js';
import { explanationOf, shown } from './token-explanations.js';

type ReadToken = NonNullable<TokenInspection['read']>;

/** A token, and what it is examined by. */
export interface TokenTask {
  readonly url: string;
  readonly token: string;
  /** Undefined where that is not known. */
  readonly policy: ResolvedAuth | undefined;
  /** True if the policy is read from metadata: then only the server can say which tokens it refuses. */
  readonly isAssumed: boolean;
}

/** Sends the token, and explains every reason to refuse it. */
export async function checkToken(probe: Probe, { url, token, policy, isAssumed }: TokenTask): Promise<Finding[]> {
  const answer = await sendToken(probe, url, token);
  if (policy === undefined) return [...(answer === undefined ? [] : [answer.finding(false)]), UNEXPLAINED];
  const examination = await inspectToken(token, policy);
  const report = findingsOf(examination, policy);
  const isExplained = examination.faults.length > 0;
  const explained = isAssumed && answer !== undefined ? asSeen(report, answer, examination) : report;
  return [...(answer === undefined ? [] : [answer.finding(isExplained)]), ...explained.map(({ finding }) => finding)];
}

/** Undefined where nothing can be sent: fetch() would refuse these characters in a header, and quote them. */
async function sendToken(probe: Probe, url: string, token: string): Promise<TokenAnswer | undefined> {
  if (!isToken68(token)) return undefined;
  if (!isPrivate(url)) return UNSENT;
  return checkTokenAnswer(await initialize(probe, url, { authorization: `Bearer ${token}` }));
}

const UNEXPLAINED = reporterFor('token claims').warning(
  'not examined, since the metadata does not say whose tokens are accepted',
  'Which tokens the server accepts is not known.',
  'Correct the metadata, or name the configuration file with -f.',
);

interface CheckFinding {
  readonly check: TokenCheck;
  readonly finding: Finding;
}

/**
 * Corrects the findings by an assumed policy once the server has answered. The server may accept more than its metadata says,
 * such as the tokens of the issuer behind an OAuth proxy: only the reason that it gives is a fault. The checks that it makes
 * before that one have passed.
 */
function asSeen(report: readonly CheckFinding[], answer: TokenAnswer, { faults }: TokenInspection): CheckFinding[] {
  const named = faults.find(({ error }) => error.code === answer.code)?.check;
  const place = (check: TokenCheck | undefined) => (check === undefined ? -1 : TOKEN_CHECKS.indexOf(check));
  return report.map(({ check, finding }) => {
    const { step, status, seen, code, affects = '', fix = '' } = finding;
    if (status === 'ok' || (code !== undefined && code === answer.code)) return { check, finding };
    if (answer.verdict === 'accepted' || place(check) < place(named)) {
      return { check, finding: reporterFor(step).ok(`${seen}; the server has no objection`) };
    }
    const doubt = `${affects} By the metadata and the defaults, that is: the server did not say so.`;
    return { check, finding: { ...reporterFor(step).warning(seen, doubt, fix), ...(code && { code }) } };
  });
}

/** A line for each fault, and for each check that the token stood where there is something to show. */
function findingsOf({ faults, read }: TokenInspection, policy: ResolvedAuth): CheckFinding[] {
  return TOKEN_CHECKS.flatMap((check) => {
    const found = faults.filter((fault) => fault.check === check);
    if (found.length > 0) return found.map((fault) => ({ check, finding: findingFor(fault, read, policy) }));
    const seen = read && SEEN[check]?.(read, policy);
    if (read === undefined || seen === undefined) return [];
    return [{ check, finding: reporterFor(stepOf(check, read)).ok(seen) }];
  });
}

function findingFor(fault: TokenFault, read: ReadToken | undefined, policy: ResolvedAuth): Finding {
  const { check, error } = fault;
  const examined = { payload: read?.jwt.payload ?? {}, trusted: read?.trusted, policy };
  const report = reporterFor(stepOf(check, read, error.evidence.claim));
  // A server whose keys cannot be read says nothing against the token, and it may be read elsewhere.
  const judge = error.code === 'key_set_unavailable' ? report.warning : report.fault;
  return { ...judge(...explanationOf(fault, examined)), code: error.code };
}

const STEPS: Partial<Record<TokenCheck, string>> = {
  issuer: 'iss',
  type: 'kind',
  scopeClaims: 'scope',
  requiredScopes: 'scope',
};

/** @param claim The one that a fault is about. */
function stepOf(check: TokenCheck, read: ReadToken | undefined, claim?: unknown): string {
  if (check === 'audience') return `token ${read?.trusted.audienceClaim}`;
  return `token ${check === 'requiredClaims' || check === 'names' ? claim : (STEPS[check] ?? check)}`;
}

/** The line for each check that a token passed; undefined if it would say nothing. */
const SEEN: Partial<Record<TokenCheck, (read: ReadToken, policy: ResolvedAuth) => string | undefined>> = {
  form: ({ jwt: { alg, header } }) => `JWT, ${alg}, typ ${typeof header.typ === 'string' ? header.typ : 'not stated'}`,
  issuer: ({ trusted }) => trusted.issuer,
  signature: ({ jwt: { alg, kid } }) => `${alg}, key ${shown(kid)}`,
  type: () => 'access token',
  time: ({ jwt }, policy) => seenTime(claimOf(jwt.payload, 'exp'), policy.clockToleranceSeconds),
  audience: ({ jwt, trusted }) => stringsOf(jwt.payload, trusted.audienceClaim)?.join(', '),
  requiredScopes: ({ jwt, trusted }) => scopesOf(jwt.payload, trusted.scopesClaim).join(' ') || 'none',
};

function seenTime(exp: unknown, toleranceSeconds: number): string {
  if (!isNumericDate(exp)) return 'does not expire';
  const left = Math.floor(exp - Date.now() / 1000);
  return left > 0 ? `expires in ${left} seconds` : `expired ${-left} seconds ago; ${toleranceSeconds} are tolerated`;
}
