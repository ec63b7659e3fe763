import { describe, expect, test } from 'vitest';
import { createProvider } from '../../src/providers/provider-kind.js';
import { PROVIDER_KINDS, PROVIDERS, type ProviderName } from '../../src/providers/providers.js';
import type { ProviderSwitches } from '../../src/providers/switches.js';
import { claims, createProtectedApp, expectInvalidToken, ISSUER, RESOURCE } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const TENANT = '11111111-2222-3333-4444-555555555555';

test.each<[ProviderName, string, string | undefined]>([
  ['standard', 'https://as.example', undefined],
  ['keycloak', 'https://kc.example/realms/mcp', 'https://kc.example/realms/mcp/protocol/openid-connect/certs'],
  ['auth0', 'https://t.auth0.com/', 'https://t.auth0.com/.well-known/jwks.json'],
  ['okta', 'https://o.okta.com/oauth2/default', 'https://o.okta.com/oauth2/default/v1/keys'],
  [
    'entra',
    `https://login.microsoftonline.com/${TENANT}/v2.0`,
    `https://login.microsoftonline.com/${TENANT}/discovery/v2.0/keys`,
  ],
  ['entra', `https://sts.windows.net/${TENANT}/`, `https://login.microsoftonline.com/${TENANT}/discovery/v2.0/keys`],
  [
    'entra',
    `https://login.microsoftonline.us/${TENANT}/v2.0`,
    `https://login.microsoftonline.us/${TENANT}/discovery/v2.0/keys`,
  ],
  ['authentik', 'https://ak.example/application/o/mcp/', 'https://ak.example/application/o/mcp/jwks/'],
  ['descope', 'https://api.descope.com/v1/apps/agentic/P1/S1', 'https://api.descope.com/P1/.well-known/jwks.json'],
  ['descope', 'https://api.descope.com/P1', 'https://api.descope.com/P1/.well-known/jwks.json'],
  [
    'cognito',
    'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab1',
    'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab1/.well-known/jwks.json',
  ],
  ['clerk', 'https://x.clerk.accounts.dev', 'https://x.clerk.accounts.dev/.well-known/jwks.json'],
  ['zitadel', 'https://x.zitadel.cloud', 'https://x.zitadel.cloud/oauth/v2/keys'],
])('%s: where the keys of %s are', (name, issuer, expected) => {
  expect(PROVIDERS[name].jwksUrl?.(issuer)).toBe(expected);
});

test.each<[ProviderName, string, string[]]>([
  [
    'standard',
    'https://as.example/tenant',
    [
      'https://as.example/.well-known/oauth-authorization-server/tenant',
      'https://as.example/.well-known/openid-configuration/tenant',
      'https://as.example/tenant/.well-known/openid-configuration',
    ],
  ],
  ['keycloak', 'https://kc.example/realms/mcp', ['https://kc.example/realms/mcp/.well-known/openid-configuration']],
  ['auth0', 'https://t.auth0.com/', ['https://t.auth0.com/.well-known/oauth-authorization-server']],
  ['okta', 'https://o.okta.com/oauth2/default', ['https://o.okta.com/oauth2/default/.well-known/openid-configuration']],
  [
    'entra',
    `https://sts.windows.net/${TENANT}/`,
    [`https://login.microsoftonline.com/${TENANT}/v2.0/.well-known/openid-configuration`],
  ],
  [
    'authentik',
    'https://ak.example/application/o/mcp/',
    ['https://ak.example/application/o/mcp/.well-known/openid-configuration'],
  ],
  [
    'descope',
    'https://api.descope.com/v1/apps/agentic/P1/S1',
    ['https://api.descope.com/v1/apps/agentic/P1/S1/.well-known/openid-configuration'],
  ],
  [
    'cognito',
    'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab1',
    ['https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab1/.well-known/openid-configuration'],
  ],
  ['clerk', 'https://x.clerk.accounts.dev', ['https://x.clerk.accounts.dev/.well-known/oauth-authorization-server']],
  ['zitadel', 'https://x.zitadel.cloud', ['https://x.zitadel.cloud/.well-known/openid-configuration']],
])('%s: where the metadata of %s is', (name, issuer, expected) => {
  expect(PROVIDERS[name].metadataUrls(issuer)).toEqual(expected);
});

describe('the issuer that the metadata must name', () => {
  const v2 = `https://login.microsoftonline.com/${TENANT}/v2.0`;
  test.each<[ProviderName, string, string]>([
    ['auth0', 'https://t.auth0.com/', 'https://t.auth0.com/'],
    ['authentik', 'https://ak.example/application/o/mcp/', 'https://ak.example/application/o/mcp/'],
    ['entra', v2, v2],
    ['entra', `https://sts.windows.net/${TENANT}/`, v2],
  ])('%s: of %s', (name, issuer, expected) => {
    expect(PROVIDERS[name].metadataIssuer(issuer)).toBe(expected);
  });
});

test.each<[ProviderName, string, string | undefined]>([
  ['standard', 'https://as.example', undefined],
  ['keycloak', 'https://kc.example/realms/mcp', 'https://kc.example/realms/mcp/clients-registrations/openid-connect'],
  ['okta', 'https://o.okta.com/oauth2/default', 'https://o.okta.com/oauth2/v1/clients'],
  ['entra', `https://login.microsoftonline.com/${TENANT}/v2.0`, undefined],
  ['authentik', 'https://ak.example/application/o/mcp/', undefined],
  [
    'descope',
    'https://api.descope.com/v1/apps/agentic/P1/S1',
    'https://api.descope.com/v1/mgmt/mcp/client/P1/S1/register',
  ],
  ['descope', 'https://api.descope.com/P1', undefined],
  ['cognito', 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab1', undefined],
])('%s: where clients of %s register', (name, issuer, expected) => {
  expect(PROVIDERS[name].registration?.url(issuer)).toBe(expected);
});

test.each<[string, string[], string]>([
  ['openid', ['app'], 'openid'],
  ['offline_access', ['app'], 'offline_access'],
  ['mcp.read', ['app'], 'api://app/mcp.read'],
  ['mcp.read', ['app', 'api://custom'], 'api://custom/mcp.read'],
  ['mcp.read', ['https://contoso.example/mcp'], 'https://contoso.example/mcp/mcp.read'],
  ['api://other/read', ['app'], 'api://other/read'],
  ['https://graph.microsoft.com/User.Read', ['app'], 'https://graph.microsoft.com/User.Read'],
])('entra: %s for %j is asked for as %s', (scope, audiences, expected) => {
  expect(PROVIDERS.entra.upstreamScopes([scope], audiences)).toEqual([expected]);
  expect(PROVIDERS.keycloak.upstreamScopes([scope], audiences)).toEqual([scope]);
});

test('metadata: where the metadata of a server is that is set otherwise', () => {
  const urls = (metadata: 'any' | 'oauth' | 'openid') =>
    createProvider(PROVIDER_KINDS.clerk, { metadata }).metadataUrls('https://as.example/tenant');
  const oauth = 'https://as.example/.well-known/oauth-authorization-server/tenant';
  const openid = 'https://as.example/tenant/.well-known/openid-configuration';
  expect(urls('oauth')).toEqual([oauth]);
  expect(urls('openid')).toEqual([openid]);
  expect(urls('any')).toEqual([oauth, 'https://as.example/.well-known/openid-configuration/tenant', openid]);
});

test.each<[ProviderName, ProviderSwitches, string]>([
  ['standard', {}, 'aud'],
  ['cognito', {}, 'client_id'],
  ['cognito', { resource: true }, 'aud'],
  ['clerk', {}, 'client_id'],
  ['clerk', { audience: true }, 'aud'],
  ['zitadel', {}, 'aud'],
])('%s with %j: tokens name the audience in %s', (name, switches, claim) => {
  expect(createProvider(PROVIDER_KINDS[name], switches).audienceClaim).toBe(claim);
});

test('a token with another audience is refused, and the log says once what to change at the server', async () => {
  const { lines, logger } = createRecordingLogger();
  const protectedApp = createProtectedApp({
    issuer: ISSUER,
    provider: { keycloak: {} },
    oauthProxy: { secret: 'x'.repeat(32) },
    logger,
  });
  const token = protectedApp.signer.sign(claims({ aud: 'account' }));
  for (const response of [await protectedApp.send(token), await protectedApp.send(token)]) {
    expectInvalidToken(response, 'The token is meant for another audience');
  }
  expect(lines.filter((line) => line.startsWith('warn'))).toEqual([
    `warn mcpAuth(): the authorization server issues tokens for another audience than ${RESOURCE}: ` +
      'add an Audience mapper for it to a client scope that every client gets (Keycloak: Client scopes)',
  ]);
});
