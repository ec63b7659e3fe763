import { describe, expect, test } from 'vitest';
import { ConfigError, type McpAuthOptions, mcpAuth, protectedResourceMetadata } from '../../src/index.js';
import { good as common } from '../support/good-policy.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const SECRET = 'a secret of thirty-two characters';
const good = { ...common, issuer: 'https://as.example', provider: { keycloak: {} }, oauthProxy: { secret: SECRET } };

const SECRET_FIX = 'Print one with: openssl rand -base64 32';
const URL_FIX = 'Use https; plain http is accepted from localhost only, unless dangerouslyAllowHttp is true.';
const entra = { issuer: 'https://b.example', provider: { entra: {} } };
const SHORT = 'this is too short';

test.each<[string, Record<string, unknown>, string]>([
  [
    'a clientId that is a number',
    { clientId: 7 },
    'option "clientId" must be a non-empty string, but got 7. Give the id of the client that you registered at the authorization server.',
  ],
  [
    'a secret without its client',
    { clientSecret: 'hush' },
    'option "clientId" must be a non-empty string, but got undefined. Give the id of the client that you registered at the authorization server.',
  ],
  [
    'an empty clientSecret',
    { clientId: 'a', clientSecret: '' },
    'option "clientSecret" must be a non-empty string. Leave it out for a public client.',
  ],
  [
    'a clientId without a provider',
    { provider: undefined, oauthProxy: undefined, clientId: 'a' },
    'option "provider" must be given together with "clientId", but got undefined. Write "standard", or its kind.',
  ],
  [
    'an OAuth proxy without a provider',
    { provider: undefined },
    'option "provider" must be given together with "oauthProxy", but got undefined. Write "keycloak", or another kind.',
  ],
  [
    'entra without a client',
    { provider: { entra: {} } },
    'option "clientId" must be given, since clients cannot register themselves at this provider, but got undefined. Register a client there by hand, and give its id.',
  ],
  [
    'authentik without a client',
    { provider: { authentik: {} }, audiences: ['mcp'] },
    'option "clientId" must be given, since clients cannot register themselves at this provider, but got undefined. Register a client there by hand, and give its id.',
  ],
  [
    'authentik without audiences',
    { provider: 'authentik', clientId: 'mcp' },
    'option "audiences" must be given, since this provider writes the client id into "aud", and not the resource, but got undefined. Write audiences: ["mcp"].',
  ],
  [
    'an OAuth proxy that is true',
    { oauthProxy: true },
    'option "oauthProxy" must be an object, but got true. Write { secret: … }, or false to show clients the issuer itself.',
  ],
  [
    'an unknown option of the OAuth proxy',
    { oauthProxy: { secrets: [] } },
    'option "oauthProxy.secrets" must be a known option, but got "secrets". Did you mean "secret"?',
  ],
  [
    'a short secret',
    { oauthProxy: { secret: SHORT } },
    `option "oauthProxy.secret" must be a string of at least 32 characters. ${SECRET_FIX}`,
  ],
  [
    'no secret in the list',
    { oauthProxy: { secret: [] } },
    `option "oauthProxy.secret" must be a string of at least 32 characters. ${SECRET_FIX}`,
  ],
  [
    'a short secret in the list',
    { oauthProxy: { secret: [SECRET, SHORT] } },
    `option "oauthProxy.secret" must be a string of at least 32 characters. ${SECRET_FIX}`,
  ],
  [
    'legacyEndpoints as a string',
    { oauthProxy: { legacyEndpoints: 'yes' } },
    'option "oauthProxy.legacyEndpoints" must be true or false, but got "yes". Leave it out for false.',
  ],
  [
    'allowedRedirectUris as a string',
    { oauthProxy: { allowedRedirectUris: 'https://a.example/cb' } },
    'option "oauthProxy.allowedRedirectUris" must be an array of non-empty strings, but got "https://a.example/cb". Write whole redirect URIs, or "https://host/*".',
  ],
  ...[
    [],
    ['callback'],
    ['https://*.example/cb'],
    ['https://a.example/cb/*'],
    ['http://a.example/*'],
    ['https://a.example*'],
    ['https://a.example/#b'],
    ['http://a.example/cb'],
    ['https://user@a.example/cb'],
  ].map((allowedRedirectUris): [string, Record<string, unknown>, string] => [
    `allowedRedirectUris ${JSON.stringify(allowedRedirectUris)}`,
    { oauthProxy: { allowedRedirectUris } },
    `option "oauthProxy.allowedRedirectUris" must be an array of redirect URIs that clients may have, with "*" only as the whole path of an https one and http only on loopback, but got ${JSON.stringify(allowedRedirectUris)}. Write whole redirect URIs, or "https://host/*".`,
  ]),
  [
    'metadata over plain http',
    { oauthProxy: { metadataUrl: 'http://kc:8080/m' } },
    `option "oauthProxy.metadataUrl" must be an https URL, but got "http://kc:8080/m". ${URL_FIX}`,
  ],
  [
    'an issuer over plain http',
    { issuer: 'http://kc:8080/realms/mcp' },
    `option "issuer" must be an https URL, but got "http://kc:8080/realms/mcp". ${URL_FIX}`,
  ],
  ['an issuer that is no URL', { issuer: 'mcp' }, `option "issuer" must be an https URL, but got "mcp". ${URL_FIX}`],
  [
    'dangerouslyAllowHttp as a string',
    { dangerouslyAllowHttp: 'true' },
    'option "dangerouslyAllowHttp" must be true or false, but got "true". Leave it out for false.',
  ],
  [
    'no resource',
    { resourceMetadata: {}, audiences: ['a'] },
    'option "resourceMetadata.resource" must be given together with "provider", but got undefined. Write the address that clients use, for example "https://mcp.example.com/mcp".',
  ],
  [
    'authorization servers beside the OAuth proxy',
    { resourceMetadata: { resource: 'https://mcp.example/mcp', authorizationServers: ['https://a.example'] } },
    'option "resourceMetadata.authorizationServers" must be left out where "provider" is given: its OAuth proxy is the authorization server that clients see, but got ["https://a.example"]. Remove it, or set oauthProxy to false.',
  ],
  [
    'dpop that is required',
    { senderConstraint: { dpop: { required: true } } },
    'option "senderConstraint.dpop.required" must be false where "provider" is given, since no proof passes through the OAuth proxy, but got true. Set oauthProxy to false, so that clients log in at the issuer itself.',
  ],
])('%s is refused', (_name, changes, message) => {
  const policy = { ...good, ...changes } as unknown as McpAuthOptions;
  for (const construct of [mcpAuth, protectedResourceMetadata]) {
    expect(() => construct(policy)).toThrow(ConfigError);
    expect(() => construct(policy)).toThrow(`${construct.name}(): ${message}`);
  }
});

test.each([
  { oauthProxy: { secret: SHORT } },
  { oauthProxy: { secret: [SHORT] } },
  { oauthProxy: { secret: { key: SHORT } } },
  { clientId: 'a', clientSecret: [SHORT] },
  { provider: { entra: { clientSecret: SHORT } } },
])('no message quotes a secret: %j', (changes) => {
  let message = '';
  try {
    mcpAuth({ ...good, ...changes } as unknown as McpAuthOptions);
  } catch (error) {
    message = (error as Error).message;
  }
  expect(message).toMatch(/must be/);
  expect(message).not.toContain(SHORT);
});

test.each([
  [
    'of several issuers',
    {
      issuers: [
        { issuer: 'https://a.example', provider: { keycloak: {} } },
        { ...entra, clientId: 'b' },
      ],
    },
    'given only for the first issuer with a provider: clients log in there',
  ],
  ['without the OAuth proxy', { ...entra, clientId: 'b', oauthProxy: false }, 'left out where oauthProxy is false'],
])('a client that no login uses is refused: one %s', (_which, changes, message) => {
  const policy = { resourceMetadata: common.resourceMetadata, ...changes } as unknown as McpAuthOptions;
  expect(() => mcpAuth(policy)).toThrow(message);
});

describe('what is accepted', () => {
  test.each<[string, Record<string, unknown>]>([
    ['no options of the OAuth proxy', { oauthProxy: {} }],
    ['undefined, which means absent', { oauthProxy: { legacyEndpoints: undefined, metadataUrl: undefined } }],
    [
      'redirect URIs',
      {
        oauthProxy: {
          allowedRedirectUris: ['https://a.example/*', 'http://127.0.0.1/cb', 'cursor://a/cb', 'https://b.example'],
        },
      },
    ],
    ['several secrets', { oauthProxy: { secret: [SECRET, SECRET] } }],
    ['an OAuth proxy that is false, with an issuer that is no URL', { issuer: 'mcp', oauthProxy: false }],
    [
      'an OAuth proxy that is false, at a provider without registration',
      { provider: { entra: {} }, oauthProxy: false },
    ],
    ['an object without a prototype', { provider: Object.assign(Object.create(null), { okta: {} }) }],
    [
      'plain http in a network of containers',
      {
        issuer: 'http://kc:8080/realms/mcp',
        jwks: { url: 'http://kc:8080/certs' },
        oauthProxy: { metadataUrl: 'http://kc:8080/m' },
        dangerouslyAllowHttp: true,
      },
    ],
  ])('%s', (_name, changes) => {
    const policy = { ...good, ...changes } as unknown as McpAuthOptions;
    for (const construct of [mcpAuth, protectedResourceMetadata]) expect(() => construct(policy)).not.toThrow();
  });

  test('an OAuth proxy without a secret warns, and quotes nothing', () => {
    const { lines, logger } = createRecordingLogger();
    const resourceMetadata = { resource: 'https://without-secret.example/mcp' };
    protectedResourceMetadata({ ...good, resourceMetadata, oauthProxy: {}, logger } as McpAuthOptions);
    expect(lines).toEqual([
      'warn oauthProxy.secret is not set: a random one is used, so every client must log in again after a restart, and replicas do not accept the clients of each other',
    ]);
  });
});
