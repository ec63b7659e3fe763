import { describe, expect, test } from 'vitest';
import { type McpAuthOptions, mcpAuth } from '../../src/index.js';
import { resolveAuth } from '../../src/policy/resolve-auth.js';
import { good } from '../support/good-policy.js';
import { ISSUER } from '../support/protected-app.js';
import { createIssuer } from '../support/user-tokens.js';

const CLIENT = { clientId: 'mcp', clientSecret: 'a secret' };
const EXCHANGE = { ...CLIENT, audience: 'api' };
const ENTRA = 'https://login.microsoftonline.com/tenant/v2.0';
const CLIENT_FIX = 'Register a confidential client at the authorization server that may exchange tokens.';
const NAME_FIX = 'Name the API for which the token is wanted.';
const URL_FIX = 'Use https; plain http is accepted from localhost only, unless dangerouslyAllowHttp is true.';
const FIX = 'Write { exchange: { clientId: …, clientSecret: …, audience: … } }.';
const TWO = { issuer: undefined, jwks: undefined, issuers: ['a', 'b'].map((issuer) => ({ issuer, jwks: good.jwks })) };

const exchange = (changes: object) => ({ ...good, upstreamToken: { exchange: { ...EXCHANGE, ...changes } } });
const given = (value: unknown) => `but got ${JSON.stringify(value) ?? 'undefined'}`;

test.each<[string, object, string]>([
  [
    'upstreamToken as true',
    { ...good, upstreamToken: true },
    `"upstreamToken" must be an object, ${given(true)}. ${FIX}`,
  ],
  [
    'no exchange',
    { ...good, upstreamToken: {} },
    `"upstreamToken.exchange" must be an object, ${given(undefined)}. ${FIX}`,
  ],
  [
    'no clientId',
    exchange({ clientId: undefined }),
    `"upstreamToken.exchange.clientId" must be a non-empty string, ${given(undefined)}. ${CLIENT_FIX}`,
  ],
  [
    'an empty secret',
    exchange({ clientSecret: '' }),
    `"upstreamToken.exchange.clientSecret" must be a non-empty string. ${CLIENT_FIX}`,
  ],
  [
    'an unknown authMethod',
    exchange({ authMethod: 'none' }),
    `"upstreamToken.exchange.authMethod" must be one of "client_secret_basic", "client_secret_post", ${given('none')}. Leave it out for the usual one.`,
  ],
  [
    'an audience that is a number',
    exchange({ audience: 1 }),
    `"upstreamToken.exchange.audience" must be an array of non-empty strings, ${given(1)}. ${NAME_FIX}`,
  ],
  [
    'an empty resource',
    exchange({ resource: '' }),
    `"upstreamToken.exchange.resource" must be an array of non-empty strings, ${given([''])}. ${NAME_FIX}`,
  ],
  [
    'scopes as a text',
    exchange({ scopes: 'a b' }),
    `"upstreamToken.exchange.scopes" must be an array of non-empty strings, ${given('a b')}. ${NAME_FIX}`,
  ],
  [
    'no API',
    exchange({ audience: [] }),
    `"upstreamToken.exchange.audience" must be given, or else resource or scopes, but got undefined. ${NAME_FIX}`,
  ],
  [
    'an endpoint on plain http',
    exchange({ endpoint: 'http://as.example/token' }),
    `"upstreamToken.exchange.endpoint" must be an https URL, ${given('http://as.example/token')}. ${URL_FIX}`,
  ],
  [
    'an unknown name',
    exchange({ audiences: ['api'] }),
    `"upstreamToken.exchange.audiences" must be a known option, ${given('audiences')}. Did you mean "audience"?`,
  ],
  [
    'an issuer that is no URL, without endpoint',
    { ...exchange({}), issuer: 'docs' },
    '"upstreamToken.exchange.endpoint" must be given, since it is looked up only for an issuer that is a URL, but got undefined. Give the address of the token endpoint.',
  ],
  [
    'an issuer that the policy does not have',
    exchange({ issuer: 'https://other.example' }),
    `"upstreamToken.exchange.issuer" must be one of the issuers of the policy, ${given('https://other.example')}. Write one of ${JSON.stringify(ISSUER)}.`,
  ],
  [
    'several issuers, and none named',
    { ...exchange({}), ...TWO },
    '"upstreamToken.exchange.issuer" must be given where the policy has several issuers, but got undefined. Write one of "a", "b".',
  ],
  [
    'nothing but an identity provider',
    { ...createIssuer().policy, upstreamToken: { exchange: EXCHANGE } },
    '"upstreamToken" must be left out where the policy accepts no tokens of an issuer: there is none to exchange. Remove it.',
  ],
  [
    'an audience at Entra ID',
    { ...exchange({}), issuer: ENTRA },
    `"upstreamToken.exchange.audience" must be left out for this authorization server, ${given(['api'])}. Use scopes.`,
  ],
  [
    'no scopes at Entra ID',
    { ...exchange({ audience: undefined }), issuer: ENTRA },
    `"upstreamToken.exchange.scopes" must be given, but got undefined. ${NAME_FIX}`,
  ],
  [
    'Entra ID on plain http',
    {
      ...exchange({ audience: undefined, scopes: ['x'] }),
      issuer: 'http://entra.example/t/v2.0',
      provider: 'entra',
      oauthProxy: false,
    },
    `"upstreamToken.exchange.endpoint" must be an https URL, ${given('http://entra.example/t/oauth2/v2.0/token')}. ${URL_FIX}`,
  ],
])('%s is refused', (_what, policy, message) => {
  expect(() => mcpAuth(policy as McpAuthOptions)).toThrow(`mcpAuth(): option ${message}`);
});

describe('the endpoint', () => {
  const resolved = (changes: object, more: object = {}) =>
    resolveAuth('test', { ...exchange(changes), ...more } as McpAuthOptions).exchange;
  const AT_ENTRA = { audience: undefined, scopes: ['https://graph.microsoft.com/User.Read'] };

  test('is that of the metadata, of the policy, or of Entra ID', () => {
    expect(resolved({})?.endpointFor).toBeUndefined();
    expect(resolved({ endpoint: 'https://as.example/token' })?.endpointFor?.('').href).toBe('https://as.example/token');
    const entra = resolved(AT_ENTRA, { issuer: ENTRA });
    expect(entra?.endpointFor?.('').href).toBe('https://login.microsoftonline.com/tenant/oauth2/v2.0/token');
    expect(entra?.authMethod).toBe('client_secret_post');
  });

  test.each([
    ['https://login.microsoftonline.com/{tenantid}/v2.0', 'https://login.microsoftonline.com/contoso/v2.0'],
    ['https://sts.windows.net/{tenantid}/', 'https://sts.windows.net/contoso/'],
  ])('for many tenants of Entra ID is that of the tenant of the user: %s', (issuer, iss) => {
    const entra = resolved(AT_ENTRA, { issuer, tenants: '*', jwks: undefined });
    expect(entra?.endpointFor?.(iss).href).toBe('https://login.microsoftonline.com/contoso/oauth2/v2.0/token');
  });
});
