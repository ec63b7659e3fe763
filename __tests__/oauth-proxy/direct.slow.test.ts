import { expect, onTestFinished, test } from 'vitest';
import { startGuardedServer } from '../support/guarded-server.js';
import { logIn, SDKS } from '../support/mcp-login.js';
import { atOidcServer, startOidcServer } from '../support/oidc-server.js';

test.each(SDKS)('SDK %s logs in at a certified server directly, calls a tool, and refreshes', async (sdk) => {
  let resource = '';
  const issuer = await startOidcServer(() => resource);
  const guarded = await startGuardedServer(() => ({
    issuer,
    requiredScopes: ['mcp.read'],
    resourceMetadata: { scopesSupported: ['mcp.read', 'offline_access'] },
  }));
  resource = guarded.resource;
  const metadata = await (await fetch(`${guarded.origin}/.well-known/oauth-protected-resource/mcp`)).json();
  expect(metadata).toMatchObject({ authorization_servers: [issuer] });

  const client = await logIn(sdk, resource, atOidcServer);
  onTestFinished(() => client.close());
  expect(client.callback.searchParams.get('iss')).toBe(issuer);
  expect(await client.callTool('whoami')).toMatchObject({ content: [{ text: '{"scopes":["mcp.read"]}' }] });

  const before = client.memory.savedTokens?.access_token ?? '';
  guarded.auth.revoke(before);
  expect(await client.callTool('whoami')).toMatchObject({ content: [{ text: '{"scopes":["mcp.read"]}' }] });
  expect(client.memory.savedTokens?.access_token).not.toBe(before);
});

test('with oauthProxy: false clients see the provider itself', async () => {
  const guarded = await startGuardedServer(() => ({
    issuer: 'https://kc.example/realms/mcp',
    provider: { keycloak: {} },
    oauthProxy: false,
  }));
  const metadata = await (await fetch(`${guarded.origin}/.well-known/oauth-protected-resource/mcp`)).json();
  expect(metadata).toMatchObject({ authorization_servers: ['https://kc.example/realms/mcp'] });
  expect((await fetch(`${guarded.origin}/.well-known/oauth-authorization-server/mcp`)).status).toBe(401);
});

test('of several issuers, the first with a provider is behind the OAuth proxy, and those without are listed', async () => {
  const tenant = 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0';
  const entra = { provider: { entra: {} }, clientId: 'app-id' };
  const guarded = await startGuardedServer(() => ({
    issuers: [
      { issuer: 'https://as.example' },
      { issuer: tenant, ...entra },
      { issuer: 'https://sts.windows.net/11111111-2222-3333-4444-555555555555/', ...entra },
    ],
  }));
  const metadata = await (await fetch(`${guarded.origin}/.well-known/oauth-protected-resource/mcp`)).json();
  expect(metadata).toMatchObject({ authorization_servers: [guarded.resource, 'https://as.example'] });
});
