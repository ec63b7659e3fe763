import {
  compactVerify,
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  type JSONWebKeySet,
  type JWTPayload,
} from 'jose';
import { readChallenge } from './challenge.js';
import { type Finding, reporterFor } from './finding.js';
import { INITIALIZE, isPrivate, type Probe, withHeaders } from './probe.js';

/** What the token is held against: what the policy says where it is known, else what the metadata says. */
export interface TokenExpectations {
  readonly issuers: readonly string[];
  readonly audiences: readonly string[];
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
  let claims: JWTPayload;
  try {
    header = decodeProtectedHeader(token);
    claims = decodeJwt(token);
  } catch {
    // What jose says of it may quote it.
    return [form.fault('three parts that are not a JWT', who, 'Copy the whole token.')];
  }
  return [
    form.ok(`JWT, ${header.alg}, typ ${header.typ ?? 'not stated'}`),
    judgeKind(header, claims),
    await judgeSignature(probe, token, header, expected.jwksUri),
    judgeIssuer(claims, expected.issuers),
    judgeAudience(claims, expected.audiences),
    judgeTime(claims),
    judgeScope(claims, expected.scopes),
  ];
}

function judgeKind({ typ }: Readonly<Record<string, unknown>>, claims: JWTPayload): Finding {
  const report = reporterFor('token kind');
  const isAccessToken = typeof typ === 'string' && /^(?:application\/)?at\+jwt$/i.test(typ);
  const isOther = typ !== undefined && !isAccessToken && !/^(?:application\/)?jwt$/i.test(String(typ));
  return isOther || (!isAccessToken && claims.nonce !== undefined)
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
  const answer = await probe(jwksUri).catch((error: Error) => error);
  if (answer instanceof Error || !Array.isArray(answer.json?.keys)) return cannot(`${jwksUri} is no key set`);
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

function judgeIssuer({ iss }: JWTPayload, issuers: readonly string[]): Finding {
  const report = reporterFor('token iss');
  return iss !== undefined && issuers.includes(iss)
    ? report.ok(iss)
    : report.fault(
        `${JSON.stringify(iss)}, expected ${issuers.join(' or ')}`,
        'The comparison is byte for byte, closing slash included.',
        'Set issuer to what the token says, if that is the server you trust.',
      );
}

function judgeAudience({ aud }: JWTPayload, audiences: readonly string[]): Finding {
  const report = reporterFor('token aud');
  const named = [aud ?? []].flat();
  const tolerant = (text: string) => text.replace(/\/$/, '');
  return named.some((name) => audiences.some((audience) => tolerant(audience) === tolerant(name)))
    ? report.ok(named.join(', '))
    : report.fault(
        `${JSON.stringify(aud)}, expected ${audiences.join(' or ')}`,
        'It was made for somebody else.',
        'Have clients send resource; at Keycloak add an Audience mapper; or name the audience in audiences.',
      );
}

function judgeTime({ exp, nbf }: JWTPayload): Finding {
  const report = reporterFor('token time');
  const now = Math.floor(Date.now() / 1000);
  if (exp === undefined)
    return report.fault('no exp', 'It would be good for ever.', 'Have the authorization server set exp.');
  if (exp <= now)
    return report.fault(`expired ${now - exp} seconds ago`, 'It is no longer good.', 'Refresh it, or log in again.');
  if (nbf !== undefined && nbf > now) {
    return report.fault(`good in ${nbf - now} seconds`, 'It is not yet good.', 'Set the clocks right.');
  }
  return report.ok(`expires in ${exp - now} seconds`);
}

function judgeScope(claims: JWTPayload, needed: readonly string[]): Finding {
  const report = reporterFor('token scope');
  const scopes = [claims.scope, claims.scp].flatMap((value) =>
    typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [],
  );
  const missing = needed.filter((scope) => !scopes.includes(scope));
  return missing.length === 0
    ? report.ok(scopes.join(' ') || 'none')
    : report.fault(
        `lacks ${missing.join(' ')}`,
        'Every call is answered 403.',
        'Ask for these scopes when logging in.',
      );
}
