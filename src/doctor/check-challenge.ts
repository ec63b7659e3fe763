import { lowerAscii } from '../http/lower-ascii.js';
import { type Finding, reporterFor } from './finding.js';
import { isHttpUrl } from './probe.js';
import { parameterOf, type ReadChallenge } from './read-challenge.js';

const CHALLENGE_FIX = {
  code: 'Answer 401 with WWW-Authenticate: Bearer resource_metadata="…", as mcpAuth() does; if you use mcpAuth(), find out what changes its answer.',
  file: 'Find out what answers instead of the gateway, or changes its answer: the gateway sends Bearer resource_metadata="…".',
};

/** Returns `resource_metadata` as some clients at least find it. */
export function metadataIn(challenge: ReadChallenge | undefined): string | undefined {
  return challenge?.parameters.get('resource_metadata') ?? challenge?.find('resource_metadata');
}

/** Checks that the challenge of the first request says where to log in. */
export function* checkChallenge(
  url: string,
  challenge: ReadChallenge | undefined,
  headers: Headers,
): Generator<Finding> {
  const metadata = metadataIn(challenge);
  if (challenge === undefined || !isBearer(challenge) || metadata === undefined || !isHttpUrl(metadata)) {
    return yield challengeFault(challenge, metadata, headers);
  }
  const challenged = reporterFor('challenge');
  yield unclearFinding(challenge) ?? challenged.ok(`Bearer, resource_metadata ${metadata}`);
  if (new URL(metadata).origin !== new URL(url).origin) {
    yield challenged.warning(
      `resource_metadata is on ${new URL(metadata).origin}`,
      'Clients that look for metadata only on the origin of the server do not find it.',
      'Set resourceMetadata.resource to the address that clients use; behind a proxy, check the Host that it sends, and "trust proxy".',
    );
  }
  const error = parameterOf(challenge, 'error');
  if (error !== undefined) {
    yield challenged.warning(
      `error="${error}" although no token was sent (RFC 6750, section 3.1)`,
      'Clients may discard a login that is still valid.',
      'Send no error if the request has no token.',
    );
  }
}

/** The finding for a challenge in which some clients do not find `resource_metadata`, or find another. */
function unclearFinding(challenge: ReadChallenge): Finding | undefined {
  const read = challenge.parameters.get('resource_metadata');
  if (read === challenge.find('resource_metadata')) return undefined;
  const seen =
    read === undefined
      ? 'resource_metadata is not a parameter of Bearer: commas separate parameters (RFC 9110, section 11.6.1)'
      : 'resource_metadata is written in a way that the MCP SDKs do not read, or read differently';
  return reporterFor('challenge').warning(seen, 'Some clients find it, others show no login prompt.', {
    code: 'Write Bearer realm="…", resource_metadata="…": a space after Bearer, a comma between parameters, small letters, and no space before or after =.',
    file: CHALLENGE_FIX.file,
  });
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
      'A proxy in front of the server renames the header, as REST APIs of AWS API Gateway do: make it send WWW-Authenticate.',
    );
  }
  if (challenge === undefined || !isBearer(challenge)) {
    // Clients read no other challenge than the first.
    const before = /,[ \t]*bearer\b/i.test(headers.get('www-authenticate') ?? '') ? ' before Bearer' : '';
    const seen = challenge === undefined ? nothingIn(headers) : `the scheme ${challenge.scheme}${before}`;
    return challenged.fault(seen, 'Clients do not ask the user to log in.', CHALLENGE_FIX);
  }
  if (metadata === undefined) {
    return challenged.fault('no resource_metadata', 'Claude, VS Code and others show no login prompt.', CHALLENGE_FIX);
  }
  const seen = `resource_metadata is ${JSON.stringify(metadata)}, not an absolute URL`;
  return challenged.fault(seen, 'Clients cannot fetch it.', CHALLENGE_FIX);
}

function nothingIn(headers: Headers): string {
  return headers.has('www-authenticate') ? 'WWW-Authenticate does not begin with a scheme' : 'no WWW-Authenticate';
}
