import { describe, expect, test } from 'vitest';
import { type McpAuthOptions, mcpAuth } from '../../src/index.js';
import { resolveAuth } from '../../src/policy/resolve-auth.js';
import { good } from '../support/good-policy.js';

const LOGIN = 'https://login.microsoftonline.com';
const TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';
const policyWith = (options: Record<string, unknown>) => ({ ...good, ...options }) as McpAuthOptions;

describe('an issuer of Entra that names no tenant', () => {
  test.each([
    `${LOGIN}/organizations/v2.0`,
    `${LOGIN}/common/v2.0`,
    `${LOGIN}/consumers/v2.0`,
    `${LOGIN}/Common/v2.0/`,
    `${LOGIN}/{TenantId}/v2.0`,
    'https://sts.windows.net/common/',
    'https://login.microsoftonline.us/organizations/v2.0',
    'https://login.partner.microsoftonline.cn/common/v2.0',
  ])('is refused: %s', (issuer) => {
    const message = (path: string) =>
      `mcpAuth(): option "${path}issuer" must be the issuer of tokens, whose "iss" names the tenant that issued them, but got "${issuer}". Write the id of your tenant in its place, or {tenantid} with "tenants" for several.`;
    expect(() => mcpAuth(policyWith({ issuer }))).toThrow(message(''));
    const issuers = [{ issuer, jwks: good.jwks }];
    expect(() => mcpAuth(policyWith({ issuer: undefined, jwks: undefined, issuers }))).toThrow(message('issuers[0].'));
  });

  test.each([
    `${LOGIN}/${TENANT}/v2.0`,
    `${LOGIN}/contoso.example/v2.0`,
    `https://sts.windows.net/${TENANT}/`,
    'https://issuer.example/common/v2.0',
    'agentgateway.dev',
  ])('is another than %s', (issuer) => {
    expect(() => mcpAuth(policyWith({ issuer }))).not.toThrow();
  });
});

const TEMPLATE = `${LOGIN}/{tenantid}/v2.0`;
const FIX = 'List the ids of the tenants whose users may come in, or write "*" for every tenant.';

test.each<[string, Record<string, unknown>, string]>([
  [
    'without tenants',
    { issuer: TEMPLATE },
    `option "tenants" must be given where the issuer has {tenantid}, but got undefined. ${FIX}`,
  ],
  [
    'with an empty list of tenants',
    { issuer: TEMPLATE, tenants: [] },
    `option "tenants" must be a non-empty array of tenants, or "*", but got []. ${FIX}`,
  ],
  [
    'with a tenant that is not in a list',
    { issuer: TEMPLATE, tenants: TENANT },
    `option "tenants" must be a non-empty array of tenants, or "*", but got "${TENANT}". ${FIX}`,
  ],
  [
    'with an empty tenant',
    { issuer: TEMPLATE, tenants: [''] },
    `option "tenants" must be an array of non-empty strings, but got [""]. ${FIX}`,
  ],
  [
    'tenants for one issuer',
    { tenants: '*' },
    `option "tenants" must be left out where the issuer has no {tenantid}, but got "*". Write "${TEMPLATE}".`,
  ],
  [
    'the tenant twice',
    { issuer: 'https://{tenantid}.example/{tenantid}', tenants: '*' },
    'option "issuer" must be the issuer of tokens, whose "iss" names the tenant that issued them, but got "https://{tenantid}.example/{tenantid}". Write the id of your tenant in its place, or {tenantid} with "tenants" for several.',
  ],
  [
    'another server without jwks',
    { issuer: 'https://as.example/{tenantid}', tenants: '*', jwks: undefined },
    'option "jwks" must be given where the issuer has {tenantid}, unless it is one of Entra ID, but got undefined. Give one of { file }, { url }, { keys: […] }, a function, or the key set as JSON text.',
  ],
])('an issuer with {tenantid} is refused %s', (_name, options, message) => {
  expect(() => mcpAuth(policyWith(options))).toThrow(`mcpAuth(): ${message}`);
});

test.each([
  [TEMPLATE, undefined, `${LOGIN}/common/discovery/v2.0/keys`],
  [TEMPLATE, 'entra', `${LOGIN}/common/discovery/v2.0/keys`],
  ['https://sts.windows.net/{tenantid}/', undefined, `${LOGIN}/common/discovery/keys`],
  [
    'https://login.microsoftonline.us/{tenantid}/v2.0',
    undefined,
    'https://login.microsoftonline.us/common/discovery/v2.0/keys',
  ],
])('the keys of %s, provider %s', (issuer, provider, url) => {
  const client = provider && { clientId: 'an-application' };
  const resolved = resolveAuth('test', policyWith({ issuer, provider, tenants: '*', jwks: undefined, ...client }));
  expect(resolved.issuers[0]?.jwksSource).toMatchObject({ kind: 'url', url: new URL(url) });
});

test('the OAuth proxy for every tenant logs in at the address for all, whose metadata says {tenantid}', () => {
  const options = { issuer: TEMPLATE, provider: 'entra', clientId: 'an-application', tenants: '*' };
  expect(resolveAuth('test', policyWith(options)).oauthProxy).toMatchObject({
    metadataUrls: [new URL(`${LOGIN}/common/v2.0/.well-known/openid-configuration`)],
    metadataIssuer: TEMPLATE,
  });
});
