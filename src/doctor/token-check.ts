import { examineToken, type TokenExamination } from '../auth/examine-token.js';
import { claimOf, isNumericDate, scopesOf, stringsOf } from '../auth/token/claims.js';
import { TOKEN_CHECKS, type TokenCheck, type TokenFault } from '../auth/token/token-faults.js';
import { isToken68 } from '../oauth/credentials.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { readChallenge } from './challenge.js';
import { type Finding, reporterFor } from './finding.js';
import { INITIALIZE, isPrivate, type Probe, withHeaders } from './probe.js';
import { explanationOf, shown } from './token-explanations.js';

type ReadToken = NonNullable<TokenExamination['read']>;

/**
 * Sends the token, and explains every reason to refuse it. No finding repeats the token.
 *
 * @param policy What it is examined by; undefined where that is not known.
 */
export async function checkToken(
  probe: Probe,
  url: string,
  token: string,
  policy: ResolvedAuth | undefined,
): Promise<Finding[]> {
  // fetch() would refuse other characters in a header, and quote them.
  const answer = isToken68(token) ? [isPrivate(url) ? await judgeAnswer(probe, url, token) : UNSENT] : [];
  const explanation = policy === undefined ? [UNEXPLAINED] : findingsOf(await examineToken(token, policy), policy);
  return [...answer, ...explanation];
}

const UNSENT = reporterFor('token').warning(
  'not sent, since others could read it on the way',
  'What the server says to it is not known.',
  'Serve the MCP server over https.',
);

const UNEXPLAINED = reporterFor('token claims').warning(
  'not examined, since the metadata does not say whose tokens are accepted',
  'Which tokens the server accepts is not known.',
  'Correct the metadata, or name the configuration file with -f.',
);

async function judgeAnswer(probe: Probe, url: string, token: string): Promise<Finding> {
  const report = reporterFor('token');
  const { status, headers } = await probe(url, withHeaders(INITIALIZE, { authorization: `Bearer ${token}` }));
  if (status !== 401 && status !== 403 && status !== 400) return report.ok(`accepted (${status})`);
  const why = readChallenge(headers.get('www-authenticate'))?.parameters.get('error_description');
  return report.fault(
    `refused with ${status}${why === undefined ? '' : `: ${why}`}`,
    'A client with this token logs in again, or gives up.',
    'The lines below say what is wrong with it.',
  );
}

/** A line for each fault, and for each check that the token stood where there is something to show. */
function findingsOf({ faults, read }: TokenExamination, policy: ResolvedAuth): Finding[] {
  return TOKEN_CHECKS.flatMap((check) => {
    const found = faults.filter((fault) => fault.check === check);
    if (found.length > 0) return found.map((fault) => findingFor(fault, read, policy));
    const seen = read && SEEN[check]?.(read, policy);
    return read === undefined || seen === undefined ? [] : [reporterFor(stepOf(check, read)).ok(seen)];
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

/** What a good token shows; nothing where a line would say nothing. */
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
