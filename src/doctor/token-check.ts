import { inspectToken, type TokenInspection } from '../auth/inspect-token.js';
import { claimOf, isNumericDate, scopesOf, stringsOf } from '../auth/token/claims.js';
import { TOKEN_CHECKS, type TokenCheck, type TokenFault } from '../auth/token/token-faults.js';
import { UpstreamError } from '../core/errors.js';
import { credentialFormOf } from '../oauth/credential-form.js';
import { isToken68 } from '../oauth/credentials.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { tokenPlaceOf } from '../policy/resolve-location.js';
import { FetchError } from '../upstream/bounded-fetch.js';
import { durationText } from './duration-text.js';
import { type Finding, reporterFor } from './finding.js';
import { fetchErrorOf, initialize, isPrivate, type Probe } from './probe.js';
import { shown } from './shown.js';
import { checkTokenAnswer, type Explained, type TokenAnswer, UNSENT, unanswered } from './token-answer.js';
import { explanationOf, toleranceText } from './token-explanations.js';

type ReadToken = NonNullable<TokenInspection['read']>;

/** A token, and the policy to check it by. */
export interface TokenTask {
  readonly url: string;
  readonly token: string;
  /** Undefined if it is not known. */
  readonly policy: ResolvedAuth | undefined;
  /** True if the policy is built from metadata: then only the server knows which tokens it refuses. */
  readonly isAssumed: boolean;
  /** The URLs of key sets in the metadata of the authorization servers. */
  readonly keyUrls: readonly string[];
  /** The secrets of the policy that cannot be read: where they are, and why. */
  readonly unread?: readonly string[] | undefined;
}

/** Sends the token, and explains every reason to refuse it. */
export async function checkToken(probe: Probe, task: TokenTask): Promise<Finding[]> {
  const { token, policy, isAssumed, unread = [] } = task;
  const answer = await sendToken(probe, task);
  const withAnswer = (explained: Explained, findings: readonly Finding[]) => [
    ...(answer === undefined ? [] : [answer.finding(explained)]),
    ...findings,
  ];
  if (policy === undefined) return withAnswer('unchecked', [UNEXPLAINED]);
  if (unread.length > 0 && needsSecrets(token)) return withAnswer('unchecked', [withoutSecrets(unread)]);
  const inspection = await inspectToken(token, policy, task.url);
  const report = findingsOf(inspection, policy);
  const explained = isAssumed && answer !== undefined ? correctedBy(report, answer, inspection) : report;
  return withAnswer(
    explainedBy(inspection),
    explained.map(({ finding }) => finding),
  );
}

function explainedBy({ faults }: TokenInspection): Explained {
  if (faults.length === 0) return 'accepted';
  return faults.every(({ error }) => error instanceof UpstreamError) ? 'unchecked' : 'refused';
}

/** True for tokens that are introspected, or that the server has issued itself. */
function needsSecrets(token: string): boolean {
  const form = credentialFormOf(token);
  return form === 'opaque' || form === 'issued';
}

function withoutSecrets(unread: readonly string[]): Finding {
  return reporterFor('token claims').warning(
    `not checked, since a secret is missing: ${unread.join('; ')}`,
    'The doctor cannot tell whether the policy accepts this token.',
    'Run the doctor where the command runs, or correct the name of the file.',
  );
}

/** Undefined for a token with characters that fetch() refuses in a header: its error would quote the token. */
async function sendToken(probe: Probe, { url, token, policy, keyUrls }: TokenTask): Promise<TokenAnswer | undefined> {
  if (!isToken68(token)) return undefined;
  if (!isPrivate(url)) return UNSENT;
  const { header, prefix } = tokenPlaceOf(policy);
  const answer = await initialize(probe, url, { [header]: prefix + token }).catch(fetchErrorOf);
  return answer instanceof FetchError ? unanswered(answer) : checkTokenAnswer(answer, keyUrls);
}

const UNEXPLAINED = reporterFor('token claims').warning(
  'not checked, since the metadata does not say which issuers are accepted',
  'The doctor cannot tell which tokens the server accepts.',
  'Correct the metadata, or give the configuration file with -f.',
);

interface CheckFinding {
  readonly check: TokenCheck;
  readonly finding: Finding;
}

/**
 * Corrects the findings of an assumed policy by the server's answer. The server may accept more than its metadata says, such as
 * the tokens of the issuer behind an OAuth proxy, so only the reason that it gives is a fault. The checks before that one have
 * passed.
 */
function correctedBy(
  report: readonly CheckFinding[],
  answer: TokenAnswer,
  { faults }: TokenInspection,
): CheckFinding[] {
  const named = faults.find(({ error }) => error.code === answer.code)?.check;
  const place = (check: TokenCheck | undefined) => (check === undefined ? -1 : TOKEN_CHECKS.indexOf(check));
  return report.map(({ check, finding }) => {
    const { step, status, seen, code, affects = '', fix = '' } = finding;
    if (status === 'ok' || (code !== undefined && code === answer.code)) return { check, finding };
    if (answer.verdict === 'accepted' || place(check) < place(named)) {
      return { check, finding: reporterFor(step).ok(`${seen}; the server accepts it`) };
    }
    const doubt = `${affects} This is by the metadata and the defaults; the server did not say so.`;
    return { check, finding: { ...reporterFor(step).warning(seen, doubt, fix), ...(code && { code }) } };
  });
}

/** One finding for each fault, and for each passed check that has something to show. */
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
  const checked = { payload: read?.jwt.payload ?? {}, trusted: read?.trusted, policy };
  const report = reporterFor(stepOf(check, read, error.evidence.claim));
  // An outage is not the token's fault, and the MCP server may be able to read the keys, or to ask the other server.
  const findingOf = error instanceof UpstreamError ? report.warning : report.fault;
  return { ...findingOf(...explanationOf(fault, checked)), code: error.code };
}

const STEPS: Partial<Record<TokenCheck, string>> = {
  issuer: 'iss',
  type: 'kind',
  scopeClaims: 'scope',
  requiredScopes: 'scope',
};

/** @param claim The claim that a fault is about. */
function stepOf(check: TokenCheck, read: ReadToken | undefined, claim?: unknown): string {
  if (check === 'audience') return `token ${read?.trusted.audienceClaim}`;
  return `token ${check === 'requiredClaims' || check === 'names' ? claim : (STEPS[check] ?? check)}`;
}

/** The text for each check that a token passed; undefined if there is nothing to show. */
const SEEN: Partial<Record<TokenCheck, (read: ReadToken, policy: ResolvedAuth) => string | undefined>> = {
  form: ({ jwt: { alg, header } }) => `JWT, ${alg}, typ ${typeof header.typ === 'string' ? header.typ : 'not stated'}`,
  issuer: ({ trusted }) => trusted.issuer,
  signature: ({ jwt: { alg, kid } }) => `${alg}, key ${shown(kid)}`,
  type: () => 'access token',
  time: ({ jwt }, policy) => seenTime(claimOf(jwt.payload, 'exp'), policy),
  audience: ({ jwt, trusted }) => stringsOf(claimOf(jwt.payload, trusted.audienceClaim))?.join(', '),
  requiredScopes: ({ jwt, trusted }) => scopesOf(jwt.payload, trusted.scopesClaim).join(' ') || 'none',
};

function seenTime(exp: unknown, policy: ResolvedAuth): string {
  if (!isNumericDate(exp)) return 'does not expire';
  const left = Math.floor(exp - Date.now() / 1000);
  if (left > 0) return `expires in ${durationText(left)}`;
  return `expired ${durationText(-left)} ago; ${toleranceText(policy)}`;
}
