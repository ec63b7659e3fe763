import { withoutClosingSlash } from '../http/well-known.js';
import { requiresToken } from '../policy/modes.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { FetchError } from '../upstream/bounded-fetch.js';
import { checkChallenge, metadataIn } from './check-challenge.js';
import { type Finding, reporterFor } from './finding.js';
import { fetchErrorOf, initialize, isHttpUrl, isMcpAnswer, type Probe, type ProbeResponse } from './probe.js';
import { type ReadChallenge, readChallenge } from './read-challenge.js';
import { explainConnection, rpcErrorFinding, unansweredFinding, unexpectedFinding } from './unexpected-answer.js';

/** The outcome of the first request, which has no token. */
export interface FirstResponse {
  readonly findings: readonly Finding[];
  /** True if an MCP server answered, so that the checks can continue. */
  readonly isThere: boolean;
  /** True if it answers anonymous callers. */
  readonly isOpen: boolean;
  readonly challenge?: ReadChallenge | undefined;
  /** From the challenge, if it is an http(s) URL. */
  readonly metadataUrl?: string | undefined;
}

/** Clients open a stream with GET and end a session with DELETE. */
const OTHER_METHODS = ['GET', 'DELETE'];
const STREAM = { accept: 'text/event-stream' };

const CANNOT_TELL = 'The doctor cannot tell whether it asks for a token.';
const NO_LOGIN = 'Clients report an error instead of logging in.';

/** Sends the first request without a token. Expects 401, and a challenge that says where to log in. */
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
      ? (refusedFinding(answer, policy) ?? (await openFinding(probe, url, { status, policy })))
      : unexpectedFinding(answered, answer, { seen: `${status}, not 401`, affects: NO_LOGIN });
    // Anything else is not an MCP server, or one where clients cannot log in: more checks would only repeat that.
    return { findings: [finding], isThere: isOpen, isOpen };
  }
  const challenge = readChallenge(headers.get('www-authenticate'));
  const metadataUrl = metadataIn(challenge);
  return {
    findings: [
      answered.ok('401'),
      ...checkChallenge(url, challenge, headers),
      await checkOtherMethods(probe, url, policy),
    ],
    isThere: true,
    isOpen: false,
    challenge,
    metadataUrl: isHttpUrl(metadataUrl) ? metadataUrl : undefined,
  };
}

/** The finding for a server that answers a missing token, or something else, with a JSON-RPC error. Undefined for any other answer. */
function refusedFinding(answer: ProbeResponse, policy: ResolvedAuth | undefined): Finding | undefined {
  return weighed(rpcErrorFinding(reporterFor('answer without a token'), '', answer, NO_LOGIN), policy);
}

/** A JSON-RPC error without a token is a fault if the policy asks for one: the gateway would answer 401. */
function weighed(finding: Finding | undefined, policy: ResolvedAuth | undefined): Finding | undefined {
  const isFault = policy !== undefined && requiresToken(policy.modeName);
  return finding && isFault ? { ...finding, status: 'fault' } : finding;
}

/** Anonymous callers are a fault if the policy, or another method of the server, asks for a token. */
async function openFinding(
  probe: Probe,
  url: string,
  { status, policy }: { status: number; policy: ResolvedAuth | undefined },
): Promise<Finding> {
  const answered = reporterFor('answer without a token');
  if (policy !== undefined && requiresToken(policy.modeName)) {
    return answered.fault(
      `${status} without a token, although the file says mode ${policy.modeName}`,
      'Anonymous callers can use the server.',
      'Check that the running server has this file, and that no other route matches this path.',
    );
  }
  const guarded = await methodWithChallenge(probe, url);
  if (guarded !== undefined) {
    return answered.fault(
      `${status} to POST, although ${guarded} is answered 401`,
      'Anonymous callers can use the server.',
      {
        code: 'Mount mcpAuth() before the route that answers POST: a route above it stays open.',
        file: 'Find out what answers POST before the gateway, which treats every method alike.',
      },
    );
  }
  return answered.warning(`${status}: anonymous callers get in`, 'Clients never log in, so the server knows no user.', {
    code: "Use mode 'strict' unless you want anonymous callers; if you do use it, mount mcpAuth() before the MCP server.",
    file: `Set mcpAuthentication.mode to strict unless you want anonymous callers: it is ${policy?.modeName}.`,
  });
}

/** Returns a method that asks for a token, other than POST; undefined if there is none. */
async function methodWithChallenge(probe: Probe, url: string): Promise<string | undefined> {
  for (const method of OTHER_METHODS) {
    // Some open servers never answer a GET: that is not a fault here.
    const answer = await probe(url, { method, headers: STREAM }).catch(fetchErrorOf);
    if (!(answer instanceof FetchError) && answer.status === 401 && answer.headers.has('www-authenticate')) {
      return method;
    }
  }
  return undefined;
}

/** The 401 of every method must say where to log in. */
async function checkOtherMethods(probe: Probe, url: string, policy: ResolvedAuth | undefined): Promise<Finding> {
  const others = reporterFor('other verbs');
  const seen: string[] = [];
  const problems: Finding[] = [];
  for (const method of OTHER_METHODS) {
    const answer = await probe(url, { method, headers: STREAM }).catch(fetchErrorOf);
    if (answer instanceof FetchError) {
      problems.push(unansweredFinding(others, method, answer, CANNOT_TELL));
      continue;
    }
    problems.push(...checkMethod(method, answer, policy));
    seen.push(`${method} ${answer.status}`);
  }
  const [first = others.ok(seen.join(', '))] = problems;
  return problems.find(({ status }) => status === 'fault') ?? first;
}

function checkMethod(method: string, answer: ProbeResponse, policy: ResolvedAuth | undefined): Finding[] {
  const others = reporterFor('other verbs');
  const { status, headers } = answer;
  const refused = weighed(rpcErrorFinding(others, `${method} is answered `, answer, CANNOT_TELL), policy);
  if (refused !== undefined) return [refused];
  // A web page in answer to GET does not come from the MCP server.
  if (status >= 200 && status < 300 && (method === 'DELETE' || isMcpAnswer(answer))) {
    const fix = {
      code: 'Mount mcpAuth() for every method: app.use(), not app.post().',
      file: 'Find out what answers before the gateway, which asks for a token for every method.',
    };
    const seen = `${method} is answered ${status} without a token`;
    return [others.fault(seen, 'Anonymous callers can read streams or end sessions.', fix)];
  }
  const challenge = readChallenge(headers.get('www-authenticate'));
  if (status !== 401 || metadataIn(challenge) !== undefined) return [];
  const fix = {
    code: 'Send the same challenge for every method, as mcpAuth() does.',
    file: 'Find out what answers before the gateway, which sends the same challenge for every method.',
  };
  const who = 'Clients whose token expires while they wait on a stream do not log in again.';
  return [others.warning(`${method} is answered 401 without resource_metadata`, who, fix)];
}

/** Checks that the address with one closing slash more, or less, asks for a token too. */
export async function checkClosingSlash(probe: Probe, url: string, policy?: ResolvedAuth): Promise<Finding> {
  const report = reporterFor('closing slash');
  const other = new URL(url);
  if (other.pathname === '/') return report.ok('the address has no path');
  other.pathname = other.pathname.endsWith('/') ? withoutClosingSlash(other.pathname) : `${other.pathname}/`;
  const answer = await initialize(probe, other.href).catch(fetchErrorOf);
  if (answer instanceof FetchError) {
    return unansweredFinding(report, other.href, answer, CANNOT_TELL);
  }
  const refused = weighed(rpcErrorFinding(report, `${other.href} is answered `, answer, CANNOT_TELL), policy);
  if (refused !== undefined) return refused;
  const { status, headers } = answer;
  if (isMcpAnswer(answer)) {
    return report.fault(
      `${other.href} is answered ${status} without a token`,
      'Anonymous callers get in at this address.',
      {
        code: 'Mount mcpAuth() with app.use() before all routes: it then covers both addresses.',
        file: 'Give the route that takes this path the same mcpAuthentication.',
      },
    );
  }
  if (status >= 300 && status < 400) {
    return report.warning(
      `${other.href} redirects to ${headers.get('location') ?? 'no address'}`,
      'Clients that follow it drop their token or the body.',
      'Answer 404 there, and give all clients the same address.',
    );
  }
  return report.ok(`${other.href} is answered ${status}`);
}
