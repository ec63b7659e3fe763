import { compactVerify, createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet } from 'jose';
import { readChallenge } from './challenge.js';
import { type AcceptedIssuer, judgeClaims } from './claim-check.js';
import { type Claims, claimOf, shown } from './claims.js';
import { type Finding, reporterFor } from './finding.js';
import { INITIALIZE, isPrivate, type Probe, ProbeError, probeErrorOf, withHeaders } from './probe.js';

/** What the token is held against: what the policy says where it is known, else what the metadata says. */
export interface TokenExpectations {
  readonly issuers: readonly AcceptedIssuer[];
  readonly resource: string;
  /** From the challenge. */
  readonly scopes: readonly string[];
  readonly jwksUri: string | undefined;
}

/** Sends the token, and says claim by claim why it may be refused. No finding repeats the token. */
export async function checkToken(
  probe: Probe,
  url: string,
  token: string,
  expected: TokenExpectations,
): Promise<Finding[]> {
  // fetch() would refuse such a header, and quote it.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    const fix = 'Put the access token alone into the file.';
    return [reporterFor('token form').fault('characters that no token has', 'It cannot be sent.', fix)];
  }
  const answer = isPrivate(url) ? await judgeAnswer(probe, url, token) : UNSENT;
  return [answer, ...(await judgeToken(probe, token, expected))];
}

const UNSENT = reporterFor('token').warning(
  'not sent, since others could read it on the way',
  'What the server says to it is not known.',
  'Serve the MCP server over https.',
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

async function judgeToken(probe: Probe, token: string, expected: TokenExpectations): Promise<Finding[]> {
  const form = reporterFor('token form');
  const who = 'It cannot be verified.';
  const segments = token.split('.').length;
  if (segments === 5) return [form.fault('encrypted (JWE)', who, 'Ask the authorization server for a signed token.')];
  if (segments !== 3)
    return [form.fault('opaque, not a JWT', who, 'Ask the authorization server for a JWT: Auth0 needs an audience.')];
  let header: Readonly<Record<string, unknown>>;
  let claims: Claims;
  try {
    header = decodeProtectedHeader(token);
    claims = decodeJwt(token);
  } catch {
    // What jose says of it may quote it.
    return [form.fault('three parts that are not a JWT', who, 'Copy the whole token.')];
  }
  return [
    form.ok(`JWT, ${textOf(header.alg)}, typ ${textOf(header.typ)}`),
    judgeKind(header, claims),
    await judgeSignature(probe, token, header, expected.jwksUri),
    ...judgeClaims(claims, expected),
  ];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? 'not stated' : shown(value);
}

function judgeKind({ typ }: Readonly<Record<string, unknown>>, claims: Claims): Finding {
  const report = reporterFor('token kind');
  const isAccessToken = typeof typ === 'string' && /^(?:application\/)?at\+jwt$/i.test(typ);
  const isOther =
    typ !== undefined && !isAccessToken && !(typeof typ === 'string' && /^(?:application\/)?jwt$/i.test(typ));
  return isOther || (!isAccessToken && claimOf(claims, 'nonce') !== undefined)
    ? report.fault(
        'an ID token, or another kind',
        'Servers must not take it for an access token.',
        'Send the access_token.',
      )
    : report.ok('access token');
}

async function judgeSignature(
  probe: Probe,
  token: string,
  { alg, kid }: Readonly<Record<string, unknown>>,
  jwksUri: string | undefined,
): Promise<Finding> {
  const report = reporterFor('token signature');
  const cannot = (why: string) =>
    report.warning(why, 'Whether the signature is good cannot be said here.', 'See that the key set can be fetched.');
  if (jwksUri === undefined) return cannot('no key set is known');
  const answer = await probe(jwksUri).catch(probeErrorOf);
  if (answer instanceof ProbeError || !Array.isArray(answer.json?.keys)) return cannot(`${jwksUri} is no key set`);
  try {
    await compactVerify(token, createLocalJWKSet(answer.json as unknown as JSONWebKeySet));
    return report.ok(`${alg}, key ${JSON.stringify(kid)}`);
  } catch (error) {
    const { code } = error as { code?: string };
    const fix = 'Get a fresh token from the authorization server.';
    if (code === 'ERR_JWKS_NO_MATCHING_KEY')
      return report.fault(`no key ${JSON.stringify(kid)} in ${jwksUri}`, REFUSED, fix);
    return code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED'
      ? report.fault('not made with the key that it names', REFUSED, fix)
      : cannot(`it cannot be checked (${code})`);
  }
}

const REFUSED = 'It is refused everywhere.';
