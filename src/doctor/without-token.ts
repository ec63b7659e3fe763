import { lowerAscii } from '../http/lower-ascii.js';
import { withoutClosingSlash } from '../http/well-known.js';
import { FetchError } from '../upstream/bounded-fetch.js';
import { type ReadChallenge, readChallenge } from './challenge.js';
import { type Finding, reporterFor } from './finding.js';
import { type Answer, fetchErrorOf, INITIALIZE, type Probe } from './probe.js';

/** What a stranger's first request brought. */
export interface FirstContact {
  readonly findings: readonly Finding[];
  /** Whether there is a server to go on with. */
  readonly isThere: boolean;
  /** Whether it lets strangers in. */
  readonly isOpen: boolean;
  readonly challenge?: ReadChallenge | undefined;
  /** From the challenge, where it names one that can be fetched. */
  readonly metadataUrl?: string | undefined;
}

/** Knocks without a token: 401, and a challenge that tells where to log in. */
export async function knock(probe: Probe, url: string): Promise<FirstContact> {
  const answered = reporterFor('answer without a token');
  const answer = await probe(url, INITIALIZE).catch(fetchErrorOf);
  if (answer instanceof FetchError) {
    const fix = 'Start the server, or correct the address.';
    const findings = [answered.fault(answer.message, 'No client gets an answer.', fix)];
    return { findings, isThere: false, isOpen: false };
  }
  const { status, headers } = answer;
  if (status !== 401) {
    const isOpen = status >= 200 && status < 300;
    // Anything else is no MCP server, or none that lets clients log in: what follows would only repeat it.
    return { findings: [judgeStatus(answer)], isThere: isOpen, isOpen };
  }
  const challenge = readChallenge(headers.get('www-authenticate'));
  const metadataUrl = challenge?.parameters.get('resource_metadata');
  return {
    findings: [answered.ok('401'), ...judgeChallenge(url, challenge), await judgeOtherVerbs(probe, url)],
    isThere: true,
    isOpen: false,
    challenge,
    metadataUrl: metadataUrl !== undefined && URL.canParse(metadataUrl) ? metadataUrl : undefined,
  };
}

function judgeStatus({ status, headers }: Answer): Finding {
  const answered = reporterFor('answer without a token');
  if (status >= 200 && status < 300) {
    return answered.warning(
      `${status}: strangers are let in`,
      'Clients never log in, so that nobody is known to the server.',
      "Use mode 'strict' unless anonymous callers are wanted.",
    );
  }
  if (status >= 300 && status < 400) {
    return answered.fault(
      `${status} to ${headers.get('location')}`,
      'Clients do not follow with their token.',
      'Give out the address that it redirects to.',
    );
  }
  return answered.fault(
    `${status}, not 401`,
    'Clients report an error instead of logging in.',
    'Check the path, and that mcpAuth() stands before whatever answered.',
  );
}

function* judgeChallenge(url: string, challenge: ReadChallenge | undefined): Generator<Finding> {
  const challenged = reporterFor('challenge');
  const fix = 'Answer 401 with WWW-Authenticate: Bearer resource_metadata="…", as mcpAuth() does.';
  if (challenge === undefined || lowerAscii(challenge.scheme) !== 'bearer') {
    const seen = challenge === undefined ? 'no WWW-Authenticate' : `the scheme ${challenge.scheme}`;
    return yield challenged.fault(seen, 'Clients do not ask the user to log in.', fix);
  }
  const metadata = challenge.parameters.get('resource_metadata');
  if (metadata === undefined) {
    return yield challenged.fault('no resource_metadata', 'Claude, VS Code and others show no login prompt.', fix);
  }
  if (!URL.canParse(metadata)) {
    const seen = `resource_metadata is ${JSON.stringify(metadata)}, no absolute URL`;
    return yield challenged.fault(seen, 'Clients cannot fetch it.', fix);
  }
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

/** A stream is opened with GET, a session ended with DELETE: their 401s have to lead on, too. */
async function judgeOtherVerbs(probe: Probe, url: string): Promise<Finding> {
  const others = reporterFor('other verbs');
  const seen: string[] = [];
  for (const method of ['GET', 'DELETE']) {
    const { status, headers } = await probe(url, { method, headers: { accept: 'text/event-stream' } });
    seen.push(`${method} ${status}`);
    if (status >= 200 && status < 300) {
      return others.fault(
        `${method} is answered ${status} without a token`,
        'Strangers read streams or end sessions.',
        'Let every verb through mcpAuth(): app.use(), not app.post().',
      );
    }
    const challenge = readChallenge(headers.get('www-authenticate'));
    if (status === 401 && challenge?.parameters.has('resource_metadata') !== true) {
      return others.warning(
        `${method} is answered 401 without resource_metadata`,
        'Clients whose token expires while they wait on a stream do not log in again.',
        'Challenge every verb alike, as mcpAuth() does.',
      );
    }
  }
  return others.ok(seen.join(', '));
}

/** The same address with one closing slash more, or less, must not be a second door. */
export async function judgeClosingSlash(probe: Probe, url: string): Promise<Finding> {
  const report = reporterFor('closing slash');
  const other = new URL(url);
  if (other.pathname === '/') return report.ok('the address has no path');
  other.pathname = other.pathname.endsWith('/') ? withoutClosingSlash(other.pathname) : `${other.pathname}/`;
  const { status, headers } = await probe(other.href, INITIALIZE);
  if (status >= 200 && status < 300) {
    return report.fault(
      `${other.href} is answered ${status} without a token`,
      'Strangers get in there.',
      'Mount mcpAuth() with app.use() above every route, not on one path.',
    );
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
