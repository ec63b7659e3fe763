import { good } from './good-policy.js';
import { ISSUER } from './protected-app.js';

/** A wrong policy, and the whole message after the name of the function. */
export type Refusal = [name: string, options: unknown, message: string];

const KEYS_FIX = 'Give one of { file }, { url }, { keys: […] }, a function, or the key set as JSON text.';
const URL_FIX = 'Use https; plain http is accepted from localhost only, unless dangerouslyAllowHttp is true.';
const AUDIENCE_FIX =
  'Name what your authorization server writes into "aud", or leave it out to use resourceMetadata.resource.';

/** Wrong values of `issuers`, and of the options of each issuer. */
export const issuerRefusals: Refusal[] = [
  [
    'no issuer',
    { ...good, issuer: undefined },
    'option "issuer" must be a non-empty string, but got undefined. Name the "iss" of the tokens you accept.',
  ],
  [
    'an empty issuer',
    { ...good, issuer: '' },
    'option "issuer" must be a non-empty string, but got "". Name the "iss" of the tokens you accept.',
  ],
  [
    'an issuer that is a list',
    { ...good, issuer: ['a'] },
    'option "issuer" must be a non-empty string, but got ["a"]. Name the "iss" of the tokens you accept.',
  ],
  [
    'an issuer that is a URL object',
    { ...good, issuer: new URL('https://as.example') },
    'option "issuer" must be a string, not a URL object. Write the URL as text, byte for byte as in the tokens and for the clients: a URL object may add a closing slash.',
  ],
  [
    'no audience at all',
    { issuer: ISSUER, jwks: good.jwks },
    'option "audiences" must be given where resourceMetadata.resource is not, but got undefined. Write resourceMetadata: { resource: "https://mcp.example.com/mcp" }, the address that clients use.',
  ],
  ...['*', 'https://*.example/mcp', 'api*'].map(
    (pattern): Refusal => [
      `the audience ${pattern}`,
      { ...good, audiences: ['api', pattern] },
      `option "audiences[1]" must be a whole name, since patterns are not supported, but got "${pattern}". ${AUDIENCE_FIX}`,
    ],
  ),
  [
    'empty audiences',
    { ...good, audiences: [] },
    `option "audiences" must be a non-empty array of non-empty strings, but got []. ${AUDIENCE_FIX}`,
  ],
  [
    'an audience that is a string',
    { ...good, audiences: 'api' },
    `option "audiences" must be a non-empty array of non-empty strings, but got "api". ${AUDIENCE_FIX}`,
  ],
  [
    'an empty audience',
    { ...good, audiences: [''] },
    `option "audiences" must be an array of non-empty strings, but got [""]. ${AUDIENCE_FIX}`,
  ],
  [
    'an unknown option with a near name',
    { ...good, audienses: ['api'] },
    'option "audienses" must be a known option, but got "audienses". Did you mean "audiences"?',
  ],
  [
    'two kinds of jwks',
    { ...good, jwks: { file: 'a', url: 'https://b.example' } },
    `option "jwks" must be exactly one kind of key set, but got ["file","url"]. ${KEYS_FIX}`,
  ],
  [
    'no kind of jwks',
    { ...good, jwks: {} },
    `option "jwks" must be exactly one kind of key set, but got []. ${KEYS_FIX}`,
  ],
  ['a jwks that is a number', { ...good, jwks: 7 }, `option "jwks" must be an object, but got 7. ${KEYS_FIX}`],
  [
    'an unknown kind of jwks',
    { ...good, jwks: { uri: 'x' } },
    'option "jwks.uri" must be a known option, but got "uri". Did you mean "url"?',
  ],
  [
    'a jwks that is not JSON',
    { ...good, jwks: './pub-key' },
    'option "jwks" must be a JSON Web Key Set, { "keys": [ … ] } (it is not JSON), but got "./pub-key". See RFC 7517, section 5.',
  ],
  [
    'a jwks without keys',
    { ...good, jwks: { keys: [] } },
    'option "jwks" must be a JSON Web Key Set, { "keys": [ … ] } (its list of keys is empty), but got {"keys":[]}. See RFC 7517, section 5.',
  ],
  [
    'a jwks over plain http',
    { ...good, jwks: { url: 'http://keys.example/' } },
    `option "jwks.url" must be an https URL, but got "http://keys.example/". ${URL_FIX}`,
  ],
  [
    'a jwks url with a password, which is not quoted',
    { ...good, jwks: { url: 'https://user:s3cret@keys.example/' } },
    `option "jwks.url" must be a URL without user and password. ${URL_FIX}`,
  ],
  [
    'a jwks url that is not a URL',
    { ...good, jwks: { url: '/jwks.json' } },
    `option "jwks.url" must be an https URL, but got "/jwks.json". ${URL_FIX}`,
  ],
  [
    'no jwks for an issuer that is not a URL',
    { ...good, issuer: 'me', jwks: undefined },
    `option "jwks" must be given, since a key set is derived only from an issuer that is an http(s) URL, but got undefined. ${KEYS_FIX}`,
  ],
  [
    'no jwks for an issuer of another scheme',
    { ...good, issuer: 'urn:example:as', jwks: undefined },
    `option "jwks" must be given, since a key set is derived only from an issuer that is an http(s) URL, but got undefined. ${KEYS_FIX}`,
  ],
  ...['as.example', 'as.example/realms/a', 'localhost:9000'].flatMap((issuer) =>
    ['', 'issuers[0].'].map((path): Refusal => {
      const single = { issuer, audiences: ['api'] };
      return [
        `${path}issuer ${issuer} without https://`,
        path === '' ? single : { issuers: [single] },
        `option "${path}jwks" must be given, since a key set is derived only from an issuer that is an http(s) URL, but got undefined. Did you forget https:// in ${path}issuer? ${KEYS_FIX}`,
      ];
    }),
  ),
  ...['', 'issuers[0].'].map((path): Refusal => {
    const issuer = { issuer: 'http://as.example', audiences: ['api'] };
    return [
      `a derived key set of an issuer over plain http, as ${path}issuer,`,
      path === '' ? issuer : { issuers: [issuer] },
      `option "${path}issuer" must be an https URL, but got "http://as.example". ${URL_FIX}`,
    ];
  }),
  [
    'claims in a Map',
    { ...good, jwtValidationOptions: new Map([['requiredClaims', ['tid']]]) },
    'option "jwtValidationOptions" must be a plain object. Write { requiredClaims: ["exp", …] }.',
  ],
  [
    'an unknown validation option',
    { ...good, jwtValidationOptions: { requiredClaim: [] } },
    'option "jwtValidationOptions.requiredClaim" must be a known option, but got "requiredClaim". Did you mean "requiredClaims"?',
  ],
  [
    'no issuers',
    { issuers: [] },
    'option "issuers" must be a non-empty array, but got []. Name each issuer whose tokens you accept.',
  ],
  [
    'issuer beside issuers',
    { ...good, issuers: [good] },
    `option "issuer" must be left out where "issuers" is given, but got "${ISSUER}". Move it into the entries of "issuers".`,
  ],
  [
    'a secret beside issuers',
    { clientSecret: 'secret', issuers: [good] },
    'option "clientSecret" must be left out where "issuers" is given. Move it into the entries of "issuers".',
  ],
  [
    'a bad entry of issuers',
    { issuers: [{ ...good, resourceMetadata: undefined, audiences: [] }] },
    `option "issuers[0].resourceMetadata" must be one of issuer, audiences, audienceClaim, tenants, exclusiveAudience, jwks, jwtValidationOptions, subjectClaim, scopesClaim, provider, clientId, clientSecret, but got "resourceMetadata". Remove it.`,
  ],
  [
    'an issuer named twice',
    { resourceMetadata: good.resourceMetadata, issuers: [{ issuer: ISSUER }, { issuer: ISSUER }] },
    `option "issuers[1].issuer" must be named once, but got "${ISSUER}". Put all its audiences into one entry.`,
  ],
];
