import { ISSUER, RESOURCE } from './protected-app.js';
import { createSigner } from './signer.js';

export const signer = createSigner();
export const good = { issuer: ISSUER, jwks: { keys: [signer.jwk] }, resourceMetadata: { resource: RESOURCE } };

/** What is refused, and the whole message after the name of the function. */
type Refusal = [name: string, options: unknown, message: string];

const KEYS_FIX = 'Give one of { file }, { url }, { keys: […] }, a function, or the key set as JSON text.';
const URL_FIX = 'Use https; plain http is accepted from localhost only, unless dangerouslyAllowHttp is true.';
const AUDIENCE_FIX =
  'Name what your authorization server writes into "aud", or leave it out to use resourceMetadata.resource.';
const RESOURCE_FIX = 'Write the address that clients use, for example "https://mcp.example.com/mcp".';

export const refusals: Refusal[] = [
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
    'no audience at all',
    { issuer: ISSUER, jwks: good.jwks },
    `option "audiences" must be a non-empty array of non-empty strings, but got undefined. ${AUDIENCE_FIX}`,
  ],
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
    { ...good, audience: ['api'] },
    'option "audience" must be a known option, but got "audience". Did you mean "audiences"?',
  ],
  [
    'an unknown mode',
    { ...good, mode: 'lax' },
    'option "mode" must be one of "strict", "optional", "permissive", but got "lax". Leave it out for "strict", which refuses every request without a valid token.',
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
    'a jwks url with a password, which is not repeated',
    { ...good, jwks: { url: 'https://user:s3cret@keys.example/' } },
    `option "jwks.url" must be a URL without user and password. ${URL_FIX}`,
  ],
  [
    'a jwks url that is none',
    { ...good, jwks: { url: '/jwks.json' } },
    `option "jwks.url" must be an https URL, but got "/jwks.json". ${URL_FIX}`,
  ],
  [
    'no jwks for an issuer that is no URL',
    { ...good, issuer: 'me', jwks: undefined },
    `option "jwks" must be given, since a key set is derived only from an issuer that is a URL, but got undefined. ${KEYS_FIX}`,
  ],
  [
    'a resource that is no URL',
    { ...good, resourceMetadata: { resource: 'mcp' } },
    `option "resourceMetadata.resource" must be an http(s) URL without user, query or fragment, in ASCII, but got "mcp". ${RESOURCE_FIX}`,
  ],
  [
    'a resource with a query',
    { ...good, resourceMetadata: { resource: `${RESOURCE}?a` } },
    `option "resourceMetadata.resource" must be an http(s) URL without user, query or fragment, in ASCII. ${RESOURCE_FIX}`,
  ],
  [
    'a resource with a fragment',
    { ...good, resourceMetadata: { resource: `${RESOURCE}#` } },
    `option "resourceMetadata.resource" must be an http(s) URL without user, query or fragment, in ASCII, but got "${RESOURCE}#". ${RESOURCE_FIX}`,
  ],
  [
    'a resource with a line break',
    { ...good, resourceMetadata: { resource: `${RESOURCE}\r\nx: y` } },
    `option "resourceMetadata.resource" must be an http(s) URL without user, query or fragment, in ASCII, but got "${RESOURCE}\\r\\nx: y". ${RESOURCE_FIX}`,
  ],
  [
    'scopesSupported that is a string',
    { ...good, resourceMetadata: { resource: RESOURCE, scopesSupported: 'a' } },
    'option "resourceMetadata.scopesSupported" must be an array of non-empty strings, but got "a". List its values.',
  ],
  [
    'a metadata member in snake_case',
    { ...good, resourceMetadata: { resource: RESOURCE, resource_name: 'x' } },
    'option "resourceMetadata.resource_name" must be a name in camelCase, but got "x". Members are emitted in snake_case (RFC 9728, section 2).',
  ],
  [
    'claims in a Map',
    { ...good, jwtValidationOptions: new Map([['requiredClaims', ['tid']]]) },
    'option "jwtValidationOptions" must be a plain object. Write { requiredClaims: ["exp", …] }.',
  ],
  [
    'a metadata member with a bigint in it',
    { ...good, resourceMetadata: { ...good.resourceMetadata, limits: { calls: 1n } } },
    'option "resourceMetadata.limits" must be a JSON value, but got a value of type object. Give a string, number, boolean, list or object.',
  ],
  [
    'a metadata member that is no JSON',
    { ...good, resourceMetadata: { resource: RESOURCE, resourceName: () => 1 } },
    'option "resourceMetadata.resourceName" must be a JSON value, but got a function called "resourceName". Give a string, number, boolean, list or object.',
  ],
  [
    'a scope with a blank',
    { ...good, requiredScopes: ['a b'] },
    'option "requiredScopes" must be an array of scopes without blanks, quotes or backslashes, but got ["a b"]. Leave it out if a valid token is enough.',
  ],
  [
    'a scope with a quote',
    { ...good, requiredScopes: ['a"'] },
    'option "requiredScopes" must be an array of scopes without blanks, quotes or backslashes, but got ["a\\""]. Leave it out if a valid token is enough.',
  ],
  [
    'a negative tolerance',
    { ...good, clockToleranceSeconds: -1 },
    'option "clockToleranceSeconds" must be a whole number of at least 0, but got -1. Leave it out for 30.',
  ],
  [
    'a tolerance that is a string',
    { ...good, clockToleranceSeconds: '30' },
    'option "clockToleranceSeconds" must be a whole number of at least 0, but got "30". Leave it out for 30.',
  ],
  [
    'an endless tolerance',
    { ...good, clockToleranceSeconds: Number.POSITIVE_INFINITY },
    'option "clockToleranceSeconds" must be a whole number of at least 0, but got Infinity. Leave it out for 30.',
  ],
  [
    'a maxTokenBytes of 0',
    { ...good, maxTokenBytes: 0 },
    'option "maxTokenBytes" must be a whole number of at least 1, but got 0. Leave it out for 16384.',
  ],
  [
    'verifiedTokens of true',
    { ...good, verifiedTokens: true },
    'option "verifiedTokens" must be an object, but got true. Give { maxAgeSeconds, maxEntries, maxBytes }, or false to verify every request anew.',
  ],
  [
    'no entries',
    { ...good, verifiedTokens: { maxEntries: 0 } },
    'option "verifiedTokens.maxEntries" must be a whole number of at least 1, but got 0. Give { maxAgeSeconds, maxEntries, maxBytes }, or false to verify every request anew.',
  ],
  [
    'an unknown validation option',
    { ...good, jwtValidationOptions: { requiredClaim: [] } },
    'option "jwtValidationOptions.requiredClaim" must be a known option, but got "requiredClaim". Did you mean "requiredClaims"?',
  ],
  [
    'an unknown dpop',
    { ...good, dpop: true },
    'option "dpop" must be one of "off", "accept", "require", but got true. Leave it out for "off", which refuses bound tokens.',
  ],
  [
    'mtls without getCertificate',
    { ...good, mtls: { required: true } },
    'option "mtls.getCertificate" must be a function, but got undefined. Write { getCertificate: (req) => …, required: true }.',
  ],
  [
    'two kinds of binding, both required',
    { ...good, dpop: 'require', mtls: { getCertificate: () => undefined, required: true } },
    'option "dpop" must be other than "require" where mtls.required is true, but got "require". A token is bound in one way only.',
  ],
  [
    'an onDecision that is no function',
    { ...good, onDecision: 'log' },
    'option "onDecision" must be a function, but got "log". Give a function that takes the decision, or leave it out.',
  ],
  [
    'a logger without methods',
    { ...good, logger: {} },
    'option "logger" must be an object with debug, info, warn and error. Give console or a pino logger.',
  ],
  [
    'no issuers',
    { issuers: [] },
    'option "issuers" must be a non-empty array, but got []. Name each issuer whose tokens you accept.',
  ],
  [
    'issuer beside issuers',
    { ...good, issuers: [good] },
    `option "issuer" must be left out beside "issuers", but got "${ISSUER}". Move it into the entries of "issuers".`,
  ],
  [
    'a secret beside issuers',
    { clientSecret: 'secret', issuers: [good] },
    'option "clientSecret" must be left out beside "issuers". Move it into the entries of "issuers".',
  ],
  [
    'a bad entry of issuers',
    { issuers: [{ ...good, resourceMetadata: undefined, audiences: [] }] },
    `option "issuers[0].resourceMetadata" must be one of issuer, audiences, audienceClaim, jwks, jwtValidationOptions, scopesClaim, provider, clientId, clientSecret, but got "resourceMetadata". Remove it.`,
  ],
  [
    'an issuer named twice',
    { resourceMetadata: good.resourceMetadata, issuers: [{ issuer: ISSUER }, { issuer: ISSUER }] },
    `option "issuers[1].issuer" must be named once, but got "${ISSUER}". Put all its audiences into one entry.`,
  ],
];
