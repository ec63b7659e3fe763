import { good } from './good-policy.js';
import { ISSUER } from './protected-app.js';
import type { Refusal } from './refused-issuer-options.js';

const sha256 = 'a'.repeat(64);
const KEY_FIX = 'Print a key and its entry with: express-mcp-auth key create';
const CLIENT = { clientId: 'mcp', clientSecret: 'a secret' };
const CLIENT_FIX = 'Write { clientId: …, clientSecret: … }, as they are registered at the authorization server.';
const URL_FIX = 'Use https; plain http is accepted from localhost only, unless dangerouslyAllowHttp is true.';
const LOCATION_FIX = 'Write { header: { name: "Cf-Access-Jwt-Assertion" } }.';

const key = (name: string, apiKeys: unknown, reason: string): Refusal => [
  name,
  { ...good, apiKeys },
  `option "apiKeys" must be a list of API keys (${reason}). ${KEY_FIX}`,
];

const introspection = (name: string, changes: object, message: string): Refusal => [
  name,
  { ...good, introspection: { ...CLIENT, ...changes } },
  message,
];

const location = (name: string, authorizationLocation: unknown, message: string): Refusal => [
  name,
  { ...good, authorizationLocation },
  `option "authorizationLocation${message} ${LOCATION_FIX}`,
];

const apiKeyRefusals: Refusal[] = [
  ...['emak_secret', true, null, new Map()].map(
    (apiKeys): Refusal => [
      `API keys as ${typeof apiKeys}`,
      { ...good, apiKeys },
      `option "apiKeys" must be a list of keys, { file }, or a function. ${KEY_FIX}`,
    ],
  ),
  key(
    'a key in place of its hash',
    [{ sha256: 'emak_secret' }],
    'entry 0: its "sha256" is not 64 hexadecimal digits; the key itself must not be here',
  ),
  key('a key alone', ['emak_secret'], 'entry 0: it is not an object'),
  key(
    'a hash that is too short',
    [{ sha256: 'a'.repeat(63) }],
    'entry 0: its "sha256" is not 64 hexadecimal digits; the key itself must not be here',
  ),
  key(
    'a hash that is there twice',
    [{ sha256 }, { sha256: sha256.toUpperCase() }],
    'entry 1: its "sha256" is there twice',
  ),
  key(
    'a key beside its hash',
    [{ sha256, key: 'emak_secret' }],
    'entry 0: it has a member that is not known; known are subject, scopes, claims, expires',
  ),
  key('a subject that is a number', [{ sha256, subject: 7 }], 'entry 0: its "subject" is no text'),
  key('an empty subject', [{ sha256, subject: '' }], 'entry 0: its "subject" is no text'),
  key('scopes as text', [{ sha256, scopes: 'read write' }], 'entry 0: its "scopes" are not a list of scopes'),
  key('a scope with a space', [{ sha256, scopes: ['read write'] }], 'entry 0: its "scopes" are not a list of scopes'),
  key('claims as a list', [{ sha256, claims: [] }], 'entry 0: its "claims" are not an object'),
  key('claims with a function', [{ sha256, claims: { f: () => 1 } }], 'entry 0: its "claims" are not JSON'),
  ...['iss', 'sub', 'client_id', 'scope', 'exp'].map((name) =>
    key(`the claim ${name}`, [{ sha256, claims: { [name]: 'x' } }], `entry 0: its "claims" must not have "${name}"`),
  ),
  ...['tomorrow', '2027-01-31T12:00:00', '2027-13-31', '31.01.2027', 1_800_000_000, null].map((expires) =>
    key(
      `expires as ${expires}`,
      [{ sha256, expires }],
      'entry 0: its "expires" is no date such as 2027-01-31 or 2027-01-31T12:00:00Z',
    ),
  ),
  [
    'a file of keys that is missing',
    { ...good, apiKeys: { file: '/nowhere/keys.json' } },
    'option "apiKeys.file" must be a readable file (ENOENT; looked for /nowhere/keys.json), but got "/nowhere/keys.json". Correct the path.',
  ],
  [
    'a file of keys that is a URL',
    { ...good, apiKeys: { url: 'https://a.example' } },
    'option "apiKeys.url" must be one of file, but got "url". Remove it.',
  ],
  [
    'API keys where every token must be bound to a key',
    { ...good, apiKeys: [{ sha256 }], senderConstraint: { dpop: { required: true } } },
    'option "apiKeys" must be left out where senderConstraint.dpop.required is true: an API key is not bound to anything. Remove one of the two.',
  ],
];

const introspectionRefusals: Refusal[] = [
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
    `option "introspection.clientSecret" must be a string of at least 1 characters. ${CLIENT_FIX}`,
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
      `option "verifiers" must be a list of functions, but got ${typeof verifiers === 'function' ? 'a function' : JSON.stringify(verifiers)}. Write verifiers: [async (token) => …].`,
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
