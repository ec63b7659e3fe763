import { extractWWWAuthenticateParams as readWithV2 } from '@modelcontextprotocol/client';
import { extractWWWAuthenticateParams as readWithV1 } from '@modelcontextprotocol/sdk/client/auth.js';
import { expect, test } from 'vitest';
import { parameterOf, readChallenge } from '../../src/doctor/read-challenge.js';
import { type Complaint, expectComplaints, rewritingChallenge, startFaultyServer } from '../support/faulty-server.js';

const URL_TEXT = 'https://a.example/m';
const METADATA = `resource_metadata="${URL_TEXT}"`;

/** The challenge, and who finds `resource_metadata`: a reader that follows RFC 9110, and the MCP SDKs. */
const challenges: readonly [challenge: string, byGrammar: boolean, bySdks: boolean][] = [
  [`Bearer ${METADATA}`, true, true],
  [`bearer resource_metadata=${URL_TEXT}`, true, true],
  [`Bearer realm="x", ${METADATA}`, true, true],
  [`Bearer realm="x",${METADATA}`, true, true],
  [`Bearer realm="a, b=c \\" d",\t${METADATA}`, true, true],
  // Empty elements (RFC 9110, section 5.6.1.2).
  [`Bearer realm="x",, ${METADATA}`, true, true],
  [`Bearer realm="x" , ,\t,${METADATA} , ,`, true, true],
  [`Bearer , ${METADATA}`, true, true],
  [`Bearer ,${METADATA},`, true, true],
  // No comma where one is needed.
  [`Bearer realm="x" ${METADATA}`, false, true],
  [`Bearer realm=x ${METADATA}`, false, true],
  [`Bearer realm="x"; ${METADATA}`, false, true],
  [`Bearer realm=x; ${METADATA}`, false, true],
  [`Bearer ${METADATA}; realm="x"`, false, true],
  [`Bearer ${METADATA} realm="x"`, false, true],
  [`Bearer realm="x", DPoP algs="ES256", ${METADATA}`, false, true],
  // The SDKs do not find these.
  [`Bearer resource_metadata = "${URL_TEXT}"`, true, false],
  [`Bearer Resource_Metadata="${URL_TEXT}"`, true, false],
  [`Bearer\t${METADATA}`, true, false],
  [`Bearer  ${METADATA}`, true, false],
  [`Bearer, ${METADATA}`, false, false],
  // Nor anything after another scheme.
  [`Basic realm="x", Bearer ${METADATA}`, false, false],
  [`Basic realm="x" Bearer ${METADATA}`, false, false],
  [`Negotiate, Bearer ${METADATA}`, false, false],
  [`Bearers realm="x", Bearer ${METADATA}`, false, false],
  ['Bearer realm="x"', false, false],
  ['Bearer', false, false],
];

test.each(challenges)('finds resource_metadata as the SDKs do: %s', (challenge, byGrammar, bySdks) => {
  const answer = new Response('', { status: 401, headers: { 'www-authenticate': challenge } });
  const read = readChallenge(answer.headers.get('www-authenticate'));
  expect(read?.parameters.get('resource_metadata')).toBe(byGrammar ? URL_TEXT : undefined);
  const expected = bySdks ? URL_TEXT : undefined;
  expect(read?.find('resource_metadata')).toBe(expected);
  expect(readWithV1(answer).resourceMetadataUrl?.href).toBe(expected);
  expect(readWithV2(answer).resourceMetadataUrl?.href).toBe(expected);
});

test.each<[challenge: string, error: string | undefined]>([
  ['Bearer realm="x",, error="invalid_token"', 'invalid_token'],
  ['Bearer realm="x" error="invalid_token"', 'invalid_token'],
  ['Bearer realm="x"; error=invalid_token', 'invalid_token'],
  // The error of another challenge.
  ['Bearer realm="x", DPoP error="invalid_token"', undefined],
  ['Bearer realm="error=x"', undefined],
])('the error in %s is %s', (challenge, error) => {
  expect(parameterOf(readChallenge(challenge), 'error')).toBe(error);
});

const UNSEPARATED =
  '! challenge: resource_metadata is not a parameter of Bearer: commas separate parameters (RFC 9110, section 11.6.1)';

test.each<[what: string, rewrite: (header: string) => string, ...expected: Complaint[]]>([
  ['with an empty element', (header) => header.replace('Bearer ', 'Bearer realm="x",, ')],
  ['with a blank in place of a comma', (header) => header.replace('Bearer ', 'Bearer realm="x" '), UNSEPARATED],
  ['with a semicolon in place of a comma', (header) => header.replace('Bearer ', 'Bearer realm="x"; '), UNSEPARATED],
  [
    'with white space before the equals sign',
    (header) => header.replace('resource_metadata=', 'resource_metadata ='),
    '! challenge: resource_metadata is written in a way that the MCP SDKs do not read, or read differently',
  ],
  [
    'with an error after a blank',
    (header) => `${header} error="invalid_token"`,
    '! challenge: error="invalid_token" although no token was sent (RFC 6750, section 3.1)',
  ],
  ['that begins with a comma', (header) => `, ${header}`, '✗ challenge: WWW-Authenticate does not begin with a scheme'],
])('the doctor weighs a challenge %s', async (_what, rewrite, ...expected) => {
  const before = rewritingChallenge(rewrite);
  await expectComplaints({ before }, expected);
});

test('a warning about a challenge says where the document is, which is checked', async () => {
  const { walk } = await startFaultyServer({
    before: rewritingChallenge((header) => header.replace('Bearer ', 'Bearer realm="x" ')),
  });
  const findings = await walk();
  expect(findings.find(({ step }) => step === 'challenge')).toMatchObject({
    status: 'warning',
    affects: 'Some clients find it, others show no login prompt.',
  });
  expect(findings).toContainEqual(expect.objectContaining({ step: 'resource metadata', status: 'ok' }));
});
