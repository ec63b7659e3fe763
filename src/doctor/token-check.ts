import { examineToken } from '../auth/examine-token.js';
import { isToken68 } from '../oauth/credentials.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { readChallenge } from './challenge.js';
import { type Finding, reporterFor } from './finding.js';
import { INITIALIZE, isPrivate, type Probe, withHeaders } from './probe.js';
import { findingsOf } from './token-findings.js';

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
