import express from 'express';
import request from 'supertest';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type McpAuthOptions, mcpAuth, protectedResourceMetadata } from '../../src/index.js';
import { createTestIssuer, type TestPolicyOptions } from '../../src/testing/index.js';

const resource = 'https://mcp.example/mcp';

function appWith(policy: McpAuthOptions) {
  const app = express().use(mcpAuth(policy), (req, res) => void res.json((req as { auth?: unknown }).auth));
  return (token: string, path = '/mcp') => request(app).get(path).auth(token, { type: 'bearer' });
}

describe('with an audience in another claim,', () => {
  const proxied = { clientSecret: 'secret-of-the-client' };

  test.each<[string, Omit<TestPolicyOptions, 'resource'>]>([
    ['cognito', { provider: 'cognito', clientId: 'c', ...proxied }],
    ['clerk', { provider: 'clerk', clientId: 'c', ...proxied }],
    ['cognito and audiences', { provider: 'cognito', clientId: 'c', audiences: ['c', 'd'], ...proxied }],
    ['audienceClaim: client_id', { audienceClaim: 'client_id', audiences: ['c1'] }],
    ['audienceClaim: resource', { audienceClaim: 'resource' }],
    ['auth0', { provider: 'auth0', clientId: 'c', ...proxied }],
    ['no provider', {}],
  ])('tokens are valid for the policy made last, or refused for their reason: %s', async (_name, options) => {
    const issuer = createTestIssuer();
    const get = appWith(issuer.policy({ resource, ...options }));
    const reasonOf = async (token: string) => (await get(token)).body.error_description;
    expect((await get(issuer.token())).status).toBe(200);
    expect(await reasonOf(issuer.tokenFor('other'))).toBe('The token is meant for another audience');
    expect(await reasonOf(issuer.forgedToken())).toBe('The token has an invalid signature');
    expect(await reasonOf(issuer.expiredToken())).toBe('The token has expired');
  });

  test('clientId of a token names another client', async () => {
    const issuer = createTestIssuer();
    const get = appWith(issuer.policy({ resource, audienceClaim: 'client_id', audiences: ['c1', 'c2'] }));
    expect((await get(issuer.token())).body.clientId).toBe('c1');
    expect((await get(issuer.token({ clientId: 'c2' }))).body.clientId).toBe('c2');
    expect((await get(issuer.token({ clientId: 'c3' }))).status).toBe(401);
  });
});

test('for a resource of each tenant, token() says to name the audience', async () => {
  const issuer = createTestIssuer();
  const get = appWith(issuer.policy({ resource: 'https://mcp.example/{tenant}/mcp' }));
  expect(() => issuer.token()).toThrow(
    'createTestIssuer(): each tenant has an audience of its own: write tokenFor("https://mcp.example/acme/mcp").',
  );
  const aud = 'https://mcp.example/acme/mcp';
  for (const token of [issuer.tokenFor(aud), issuer.token({ claims: { aud } })])
    expect((await get(token, '/acme/mcp')).status).toBe(200);
  const reasonOf = async (token: string) => (await get(token, '/acme/mcp')).body.error_description;
  expect(await reasonOf(issuer.forgedToken())).toBe('The token has an invalid signature');
  expect(await reasonOf(issuer.expiredToken())).toBe('The token has expired');
});

describe('options of production', () => {
  test('have the resource in resourceMetadata', async () => {
    const issuer = createTestIssuer();
    const get = appWith(issuer.policy({ resourceMetadata: { resource } } as never));
    expect((await get(issuer.token())).body.payload.aud).toBe(resource);
  });

  test.each([
    [
      'several issuers',
      { resource, issuers: [{ issuer: 'https://a.example' }] },
      'policy(): option "issuers" must be left out, since the policy of a test issuer has one issuer. For several, write issuers: [{ issuer, jwks }, …] with these two of the policy of each test issuer.',
    ],
    [
      'a login at an identity provider',
      { resource, provider: { github: { allow: () => true } }, clientId: 'c', clientSecret: 's' },
      'policy(): option "provider" must be left out where users log in at an identity provider, since such a policy has no issuer. Leave out clientId and clientSecret too: tokens of the test issuer replace those of the login.',
    ],
  ])('with %s are refused with what to write', (_name, options, message) => {
    expect(() => createTestIssuer().policy(options as never)).toThrow(message);
  });
});

describe('a listening issuer with {tenantid}', () => {
  async function listening() {
    const issuer = createTestIssuer({ issuer: 'https://issuer.test/{tenantid}/v2.0' });
    const name = await issuer.listen();
    onTestFinished(() => issuer.close());
    return { issuer, origin: new URL(name).origin };
  }

  test.each([
    '/acme/v2.0/.well-known/openid-configuration',
    '/.well-known/openid-configuration/acme/v2.0',
    '/.well-known/oauth-authorization-server/acme/v2.0',
  ])('serves the metadata of each tenant: %s', async (path) => {
    const { issuer, origin } = await listening();
    const answer = await fetch(origin + path);
    expect(await answer.json()).toMatchObject({
      issuer: issuer.tenant('acme').issuer,
      jwks_uri: `${origin}/.well-known/jwks.json`,
    });
    expect(issuer.requests.metadata).toBe(1);
  });

  test.each([
    '/.well-known/openid-configuration',
    '/acme/v1.0/.well-known/openid-configuration',
    '/a/b/v2.0/.well-known/openid-configuration',
    '//v2.0/.well-known/openid-configuration',
    '/v2.0/.well-known/openid-configuration',
    '/acme/v2.0',
  ])('has no metadata of an issuer with another name: %s', async (path) => {
    const { origin } = await listening();
    expect((await fetch(origin + path)).status).toBe(404);
  });

  test('lets an OAuth proxy find the authorization server of all tenants of Entra ID', async () => {
    const { issuer, origin } = await listening();
    const options = { provider: 'entra', tenants: '*', audiences: ['api://app'], clientId: 'c' } as const;
    const policy = issuer.policy({ resource, ...options, clientSecret: 'secret', dangerouslyAllowHttp: true } as never);
    const app = express().use(protectedResourceMetadata(policy));
    const answer = await request(app).get('/.well-known/oauth-authorization-server/mcp').set('host', 'mcp.example');
    expect([answer.status, answer.body.error_description]).toEqual([200, undefined]);
    expect(origin).toMatch(/^http:/);
  });
});
