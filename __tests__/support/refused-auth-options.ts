import { good } from './good-policy.js';
import { RESOURCE } from './protected-app.js';
import { credentialRefusals } from './refused-credential-options.js';
import { issuerRefusals, type Refusal } from './refused-issuer-options.js';

const RESOURCE_FIX = 'Write the address that clients use, for example "https://mcp.example.com/mcp".';

const SHORT_SECRET = 'only thirty-one characters long';

/** Wrong values of every option of a policy, except those of the OAuth proxy. */
export const refusals: Refusal[] = [
  [
    'an audience for each tenant without such a resource',
    { ...good, audiences: ['api://{tenant}'] },
    'option "audiences" must be without {tenant} where the resource has none, but got "api://{tenant}". Write it in resourceMetadata.resource too: "https://mcp.example.com/{tenant}/mcp".',
  ],
  ...[':tenant', '{id}', '{tenantId}', '{}'].map(
    (part): Refusal => [
      `a resource with ${part} in its path`,
      { ...good, resourceMetadata: { resource: `https://mcp.example/${part}/mcp` } },
      `option "resourceMetadata.resource" must be without ${part}, but got "https://mcp.example/${part}/mcp". Write {tenant} for the part that differs from tenant to tenant.`,
    ],
  ),
  ...issuerRefusals,
  ...credentialRefusals,
  [
    'an unknown mode',
    { ...good, mode: 'lax' },
    'option "mode" must be one of "strict", "optional", "permissive", but got "lax". Leave it out for "strict", which refuses every request without a valid token.',
  ],
  [
    'an unknown kind of session owners',
    { ...good, sessionOwners: 'on' },
    'option "sessionOwners" must be one of "remember", "sign", "off", but got "on". Leave it out for "remember", which needs no secret.',
  ],
  [
    'session owners as a switch',
    { ...good, sessionOwners: true },
    'option "sessionOwners" must be one of "remember", "sign", "off", but got true. Leave it out for "remember", which needs no secret.',
  ],
  [
    'signed session ids without a secret',
    { ...good, sessionOwners: 'sign' },
    'option "secret" must be given where sessionOwners is "sign". Print one with: openssl rand -base64 32',
  ],
  ...[SHORT_SECRET, [], [SHORT_SECRET], ['x'.repeat(32), SHORT_SECRET], 32, null].map(
    (secret, i): Refusal => [
      `a secret that is too short or of another type, ${i}`,
      { ...good, sessionOwners: 'sign', secret },
      'option "secret" must be a string of at least 32 characters. Print one with: openssl rand -base64 32',
    ],
  ),
  [
    'a resource that is not a URL',
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
    'option "resourceMetadata.scopesSupported" must be an array of non-empty strings, but got "a". Give a list of strings.',
  ],
  [
    'a metadata member in snake_case',
    { ...good, resourceMetadata: { resource: RESOURCE, resource_name: 'x' } },
    'option "resourceMetadata.resource_name" must be a name in camelCase, but got "x". Members are emitted in snake_case (RFC 9728, section 2).',
  ],
  [
    'a metadata member with a bigint in it',
    { ...good, resourceMetadata: { ...good.resourceMetadata, limits: { calls: 1n } } },
    'option "resourceMetadata.limits" must be a JSON value, but got a value of type object. Give a string, number, boolean, list or object.',
  ],
  [
    'a metadata member that is not JSON',
    { ...good, resourceMetadata: { resource: RESOURCE, resourceName: () => 1 } },
    'option "resourceMetadata.resourceName" must be a JSON value, but got a function called "resourceName". Give a string, number, boolean, list or object.',
  ],
  [
    'a scope with a space',
    { ...good, requiredScopes: ['a b'] },
    'option "requiredScopes" must be an array of scopes without spaces, quotes or backslashes, but got ["a b"]. Leave it out if a valid token is enough.',
  ],
  [
    'a scope with a quote',
    { ...good, requiredScopes: ['a"'] },
    'option "requiredScopes" must be an array of scopes without spaces, quotes or backslashes, but got ["a\\""]. Leave it out if a valid token is enough.',
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
    'an infinite tolerance',
    { ...good, clockToleranceSeconds: Number.POSITIVE_INFINITY },
    'option "clockToleranceSeconds" must be a whole number of at least 0, but got Infinity. Leave it out for 30.',
  ],
  [
    'a maxTokenBytes of 0',
    { ...good, maxTokenBytes: 0 },
    'option "maxTokenBytes" must be a whole number of at least 1, but got 0. Leave it out for 16384.',
  ],
  [
    'tokenCache of true',
    { ...good, tokenCache: true },
    'option "tokenCache" must be an object, but got true. Give { maxAgeSeconds, maxEntries, maxBytes }, or false to verify every request again.',
  ],
  [
    'no entries',
    { ...good, tokenCache: { maxEntries: 0 } },
    'option "tokenCache.maxEntries" must be a whole number of at least 1, but got 0. Give { maxAgeSeconds, maxEntries, maxBytes }, or false to verify every request again.',
  ],
  [
    'a binding without its kind',
    { ...good, senderConstraint: 'dpop' },
    'option "senderConstraint" must be an object, but got "dpop". Write { dpop: {} }, { mtls: { getCertificate: (req) => … } }, or both.',
  ],
  ...['accept', true, null].map(
    (dpop): Refusal => [
      `senderConstraint.dpop ${dpop}`,
      { ...good, senderConstraint: { dpop } },
      `option "senderConstraint.dpop" must be an object, but got ${JSON.stringify(dpop)}. Write {} to accept bound tokens and others, or { required: true } to refuse all others.`,
    ],
  ),
  [
    'a binding to a key that is required in words',
    { ...good, senderConstraint: { dpop: { required: 'yes' } } },
    'option "senderConstraint.dpop.required" must be true or false, but got "yes". Write {} to accept bound tokens and others, or { required: true } to refuse all others.',
  ],
  [
    'mtls without getCertificate',
    { ...good, senderConstraint: { mtls: { required: true } } },
    'option "senderConstraint.mtls.getCertificate" must be a function, but got undefined. Write { getCertificate: (req) => …, required: true }.',
  ],
  [
    'two kinds of binding, both required',
    {
      ...good,
      senderConstraint: { dpop: { required: true }, mtls: { getCertificate: () => undefined, required: true } },
    },
    'option "senderConstraint.dpop.required" must be false where senderConstraint.mtls.required is true, but got true. A token is bound in one way only.',
  ],
  [
    'an onDecision that is not a function',
    { ...good, onDecision: 'log' },
    'option "onDecision" must be a function, but got "log". Give a function that takes the decision, or leave it out.',
  ],
  [
    'a logger without methods',
    { ...good, logger: {} },
    'option "logger" must be an object with debug, info, warn and error. Give console or a pino logger.',
  ],
];
