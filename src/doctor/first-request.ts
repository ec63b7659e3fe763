import { lowerAscii } from '../http/lower-ascii.js';
import { withoutClosingSlash } from '../http/well-known.js';
import { requiresToken } from '../policy/modes.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { FetchError } from '../upstream/bounded-fetch.js';
import { type Finding, reporterFor } from './finding.js';
import { fetchErrorOf, initialize, isHttpUrl, isMcpAnswer, type Probe, type ProbeResponse } from './probe.js';
import { type ReadChallenge, readChallenge } from './read-challenge.js';
import { explainConnection, unexpectedFinding } from './unexpected-answer.js';

/** What a stranger's first request brought. */
export interface FirstResponse {
  readonly findings: readonly Finding[];
  /** True if a server answered, so that the walk can go on. */
  readonly isThere: boolean;
  /** True if it answers anonymous callers. */
  readonly isOpen: boolean;
  readonly challenge?: ReadChallenge | undefined;
  /** From the challenge, where it names one that can be fetched. */
  readonly metadataUrl?: string | undefined;
}

const NO_LOGIN = 'Clients report an error instead of logging in.';

/** Knocks without a token: 401, and a challenge that tells where to log in. */
export async function firstRequest(
  probe: Probe,
  url: string,
  policy: ResolvedAuth | undefined,
): Promise<FirstResponse> {
  const answered = reporterFor('answer without a token');
  const answer = await initialize(probe, url).catch(fetchErrorOf);
  if (answer instanceof FetchError) {
    const { seen, fix } = explainConnection(answer);
    return { findings: [answered.fault(seen, 'No client gets an answer.', fix)], isThere: false, isOpen: false };
  }
  const { status, headers } = answer;
  if (status !== 401) {
    const isOpen = isMcpAnswer(answer);
    const finding = isOpen
      ? openFinding(status, policy)
      : unexpectedFinding(answered, answer, { seen: `${status}, not 401`, affects: NO_LOGIN });
    // Anything else is no MCP server, or none that lets clients log in: what follows would only repeat it.
    return { findings: [finding], isThere: isOpen, isOpen };
  }
  const challenge = readChallenge(headers.get('www-authenticate'));
  const metadataUrl = challenge?.parameters.get('resource_metadata');
  return {
    findings: [answered.ok('401'), ...checkChallenge(url, challenge, headers), await checkOtherVerbs(probe, url)],
    isThere: true,
    isOpen: false,
    challenge,
    metadataUrl: isHttpUrl(metadataUrl) ? metadataUrl : undefined,
  };
}

/** Only the policy says whether that is intended. */
function openFinding(status: number, policy: ResolvedAuth | undefined): Finding {
  const answered = reporterFor('answer without a token');
  if (policy !== undefined && requiresToken(policy.modeName)) {
    return answered.fault(
      `${status} without a token, although the file says mode ${policy.modeName}`,
      'Anonymous callers are answered.',
      'See that the running server has this file, and that no other route takes this path.',
    );
  }
  return answered.warning(`${status}: anonymous callers get in`, 'Clients never log in, so the server knows no user.', {
    code: "Use mode 'strict' unless anonymous callers are wanted; if it is, see that mcpAuth() stands before the MCP server.",
    file: `Set mcpAuthentication.mode to strict unless anonymous callers are wanted: it is ${policy?.modeName}.`,
  });
}

const CHALLENGE_FIX = {
  code: 'Answer 401 with WWW-Authenticate: Bearer resource_metadata="…", as mcpAuth() does; if it does, see what changes its answer.',
  file: 'See what answers in the place of the gateway, or changes its answer: it sends Bearer resource_metadata="…".',
};

function* checkChallenge(url: string, challenge: ReadChallenge | undefined, headers: Headers): Generator<Finding> {
  const metadata = challenge?.parameters.get('resource_metadata');
  if (challenge === undefined || !isBearer(challenge) || metadata === undefined || !isHttpUrl(metadata)) {
    return yield challengeFault(challenge, metadata, headers);
  }
  const challenged = reporterFor('challenge');
  yield challenged.ok(`Bearer, resource_metadata ${metadata}`);
  if (new URL(metadata).origin !== new URL(url).origin) {
    yield challenged.warning(
      `resource_metadata is on ${new URL(metadata).origin}`,
      'Clients that look for metadata on the origin of the server only do not find it.',
      'Set resourceMetadata.resource to the address that clients use; behind a proxy, check its Host and trust proxy.',
    );
  }
  const error = challenge.parameters.get('error');
  if (error !== undefined) {
    yield challenged.warning(
      `error="${error}" although no token was sent (RFC 6750, section 3.1)`,
      'Clients may throw away a login that is still good.',
      'Leave the error out where there was no token.',
    );
  }
}

const isBearer = ({ scheme }: ReadChallenge): boolean => lowerAscii(scheme) === 'bearer';

/** The reason why clients cannot find the login from this challenge. */
function challengeFault(challenge: ReadChallenge | undefined, metadata: string | undefined, headers: Headers): Finding {
  const challenged = reporterFor('challenge');
  const renamed = [...headers.keys()].find((name) => name.endsWith('-www-authenticate'));
  if (challenge === undefined && renamed !== undefined) {
    return challenged.fault(
      `no WWW-Authenticate, but ${renamed}`,
      'Clients do not ask the user to log in.',
      'Something between here and the server renames the header, as REST APIs of AWS API Gateway do: have it passed on as WWW-Authenticate.',
    );
  }
  if (challenge === undefined || !isBearer(challenge)) {
    const seen = challenge === undefined ? 'no WWW-Authenticate' : `the scheme ${challenge.scheme}`;
    return challenged.fault(seen, 'Clients do not ask the user to log in.', CHALLENGE_FIX);
  }
  if (metadata === undefined) {
    return challenged.fault('no resource_metadata', 'Claude, VS Code and others show no login prompt.', CHALLENGE_FIX);
  }
  const seen = `resource_metadata is ${JSON.stringify(metadata)}, no absolute URL`;
  return challenged.fault(seen, 'Clients cannot fetch it.', CHALLENGE_FIX);
}

/** A stream is opened with GET, a session ended with DELETE: their 401s have to lead on, too. */
async function checkOtherVerbs(probe: Probe, url: string): Promise<Finding> {
  const seen: string[] = [];
  for (const method of ['GET', 'DELETE']) {
    const answer = await probe(url, { method, headers: { accept: 'text/event-stream' } });
    const problem = checkVerb(method, answer);
    if (problem !== undefined) return problem;
    seen.push(`${method} ${answer.status}`);
  }
  return reporterFor('other verbs').ok(seen.join(', '));
}

function checkVerb(method: string, answer: ProbeResponse): Finding | undefined {
  const others = reporterFor('other verbs');
  const { status, headers } = answer;
  // A page that comes for GET is none of the MCP server's.
  if (status >= 200 && status < 300 && (method === 'DELETE' || isMcpAnswer(answer))) {
    return others.fault(
      `${method} is answered ${status} without a token`,
      'Anonymous callers can read streams or end sessions.',
      {
        code: 'Let every verb through mcpAuth(): app.use(), not app.post().',
        file: 'See what answers before the gateway, which asks for a token for every verb.',
      },
    );
  }
  const challenge = readChallenge(headers.get('www-authenticate'));
  if (status !== 401 || challenge?.parameters.has('resource_metadata') === true) return undefined;
  return others.warning(
    `${method} is answered 401 without resource_metadata`,
    'Clients whose token expires while they wait on a stream do not log in again.',
    {
      code: 'Challenge every verb alike, as mcpAuth() does.',
      file: 'See what answers before the gateway, which challenges every verb alike.',
    },
  );
}

/** The same address with one closing slash more, or less, must ask for a token too. */
export async function checkClosingSlash(probe: Probe, url: string): Promise<Finding> {
  const report = reporterFor('closing slash');
  const other = new URL(url);
  if (other.pathname === '/') return report.ok('the address has no path');
  other.pathname = other.pathname.endsWith('/') ? withoutClosingSlash(other.pathname) : `${other.pathname}/`;
  const answer = await initialize(probe, other.href);
  const { status, headers } = answer;
  if (isMcpAnswer(answer)) {
    return report.fault(`${other.href} is answered ${status} without a token`, 'Anonymous callers get in there.', {
      code: 'Mount mcpAuth() with app.use() above every route, not on one path.',
      file: 'Give the route that takes this path the same mcpAuthentication.',
    });
  }
  if (status >= 300 && status < 400) {
    return report.warning(
      `${other.href} redirects to ${headers.get('location')}`,
      'Clients drop their token, or the body, on the way.',
      'Answer 404 there, and give out one address.',
    );
  }
  return report.ok(`${other.href} is answered ${status}`);
}
