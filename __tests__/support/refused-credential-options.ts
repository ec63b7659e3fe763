import { good } from './good-policy.js';
import { ISSUER } from './protected-app.js';
import { apiKeyRefusals } from './refused-api-keys.js';
import type { Refusal } from './refused-issuer-options.js';

const CLIENT = { clientId: 'mcp', clientSecret: 'a secret' };
const CLIENT_FIX = 'Write { clientId: …, clientSecret: … }, as they are registered at the authorization server.';
const URL_FIX = 'Use https; plain http is accepted from localhost only, unless dangerouslyAllowHttp is true.';
const LOCATION_FIX = 'Write { header: { name: "Cf-Access-Jwt-Assertion" } }.';

const introspection = (name: string, changes: object, message: string): Refusal => [
  name,
  { ...good, introspection: { ...CLIENT, ...changes } },
  message,
];

const tenantIssuer = 'https://login.microsoftonline.com/{tenantid}/v2.0';

const location = (name: string, authorizationLocation: unknown, message: string): Refusal => [
  name,
  { ...good, authorizationLocation },
  `option "authorizationLocation${message} ${LOCATION_FIX}`,
];

const introspectionRefusals: Refusal[] = [
  ...[{ introspection: { ...CLIENT, endpoint: 'https://as.example/i' } }, { verifiers: [] }].map(
    (other): Refusal => [
      `no issuer with ${Object.keys(other)} alone`,
      { ...other, issuers: [] },
      'option "issuers" must be a non-empty array, but got []. Name each issuer whose tokens you accept.',
    ],
  ),
  [
    'introspection for many tenants',
    { ...good, issuer: tenantIssuer, tenants: ['a'], introspection: { ...CLIENT, endpoint: 'https://as.example/i' } },
    'option "introspection" must be left out where its issuer has {tenantid}: an answer without "iss" names no tenant. Write one policy for each tenant.',
  ],
  [
    'introspection as true',
    { ...good, introspection: true },
    `option "introspection" must be an object, but got true. ${CLIENT_FIX}`,
  ],
  introspection(
    'no client',
    { clientId: undefined },
    `option "introspection.clientId" must be a non-empty string, but got undefined. ${CLIENT_FIX}`,
  ),
  introspection(
    'no secret',
    { clientSecret: undefined },
    `option "introspection.clientSecret" must be a non-empty string. ${CLIENT_FIX}`,
  ),
  introspection(
    'http on another machine',
    { endpoint: 'http://as.example/i' },
    `option "introspection.endpoint" must be an https URL, but got "http://as.example/i". ${URL_FIX}`,
  ),
  introspection(
    'a password in the address',
    { endpoint: 'https://a:b@as.example/i' },
    `option "introspection.endpoint" must be a URL without user and password. ${URL_FIX}`,
  ),
  introspection(
    'another way to authenticate',
    { authMethod: 'private_key_jwt' },
    'option "introspection.authMethod" must be one of "client_secret_basic", "client_secret_post", but got "private_key_jwt". Leave it out for "client_secret_basic".',
  ),
  introspection(
    'answers that are not remembered',
    { maxAgeSeconds: 0 },
    'option "introspection.maxAgeSeconds" must be a whole number of at least 1, but got 0. Leave it out for 60.',
  ),
  introspection(
    'no calls',
    { maxCallsPerSecond: 0 },
    'option "introspection.maxCallsPerSecond" must be a whole number of at least 1, but got 0. Leave it out for 50.',
  ),
  introspection(
    'an issuer that is not in the policy',
    { issuer: 'https://other.example' },
    `option "introspection.issuer" must be one of the issuers of the policy, but got "https://other.example". Write one of "${ISSUER}".`,
  ),
  [
    'introspection with several issuers, without a name',
    {
      ...good,
      issuer: undefined,
      jwks: undefined,
      issuers: ['https://a.example', 'https://b.example'].map((issuer) => ({ issuer })),
      introspection: CLIENT,
    },
    'option "introspection.issuer" must be given where the policy has several issuers, but got undefined. Write one of "https://a.example", "https://b.example".',
  ],
  [
    'introspection without an endpoint for an issuer that is no URL',
    { ...good, issuer: 'my-issuer', introspection: CLIENT },
    'option "introspection.endpoint" must be given, since it is looked up only for an issuer that is a URL, but got undefined. Give the address of the introspection endpoint.',
  ],
];

const IN_ADDRESS = 'a token in an address ends up in logs and histories (MCP specification, RFC 9700)';

/** Wrong values of the options about credentials. */
export const credentialRefusals: Refusal[] = [
  ...apiKeyRefusals,
  ...introspectionRefusals,
  ...['jwt', {}, [undefined], () => undefined].map(
    (verifiers): Refusal => [
      `verifiers as ${typeof verifiers}`,
      { ...good, verifiers },
      `option "verifiers" must be a list of functions, but got ${typeof verifiers === 'function' ? 'a function' : JSON.stringify(verifiers)}. Write verifiers: [async (token) => …], or [(token) => provider.verifyAccessToken(token)].`,
    ],
  ),
  location('a header as text', 'X-Token', '" must be an object, but got "X-Token".'),
  location('no header', {}, '.header" must be an object, but got undefined.'),
  location('a header without a name', { header: {} }, '.header.name" must be a non-empty string, but got undefined.'),
  location(
    'a name that is none',
    { header: { name: 'X Token' } },
    '.header.name" must be the name of a header, but got "X Token".',
  ),
  ...['Cookie', 'Host', 'Mcp-Session-Id', 'X-Api-Key', 'DPoP', 'X-Forwarded-For'].map((name) =>
    location(
      `the header ${name}`,
      { header: { name } },
      `.header.name" must be a header without another use, but got ${JSON.stringify(name)}.`,
    ),
  ),
  location(
    'a prefix with a line end',
    { header: { name: 'X-T', prefix: 'a\r\n' } },
    '.header.prefix" must be text in ASCII, with at most a space at its end, but got "a\\r\\n".',
  ),
  location(
    'a token in the query',
    { queryParameter: { name: 'token' } },
    `.queryParameter" must be left out, since ${IN_ADDRESS}.`,
  ),
  location(
    'a token in a cookie',
    { cookie: { name: 'token' } },
    '.cookie" must be left out, since browsers send cookies with requests that other sites make.',
  ),
  location(
    'a token by an expression',
    { expression: 'request.headers["x"]' },
    '.expression" must be left out, since a token must have one place that every reader of the policy sees.',
  ),
  [
    'another header where DPoP is accepted',
    { ...good, authorizationLocation: { header: { name: 'X-Token' } }, senderConstraint: { dpop: {} } },
    'option "authorizationLocation" must be left out where senderConstraint.dpop is given, whose tokens come in "Authorization: DPoP". Remove one of the two.',
  ],
];
