import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { passTime } from '../support/app-with-key-server.js';
import { startGuardedServer } from '../support/guarded-server.js';
import { logIn, SDKS } from '../support/mcp-login.js';
import { atOidcServer, INTROSPECTION_CLIENT, startOidcServer } from '../support/oidc-server.js';

afterEach(() => void vi.useRealTimers());

test.each(SDKS)('SDK %s logs in at a certified server with opaque tokens, calls a tool, and refreshes', async (sdk) => {
  let resource = '';
  const issuer = await startOidcServer(() => resource, 'opaque');
  const guarded = await startGuardedServer(() => ({
    issuer,
    introspection: INTROSPECTION_CLIENT,
    requiredScopes: ['mcp.read'],
    resourceMetadata: { scopesSupported: ['mcp.read', 'offline_access'] },
  }));
  resource = guarded.resource;
  const client = await logIn(sdk, resource, atOidcServer);
  onTestFinished(() => client.close());
  const { access_token: token = '', refresh_token: refreshToken = '' } = client.memory.savedTokens ?? {};
  expect(token).not.toContain('.');
  expect(await client.callTool('whoami')).toMatchObject({ content: [{ text: '{"scopes":["mcp.read"]}' }] });

  const statusOf = async (bearer: string) =>
    (await fetch(resource, { headers: { authorization: `Bearer ${bearer}` } })).status;
  expect(await statusOf(token)).not.toBe(401);
  expect(await statusOf(refreshToken)).toBe(401);

  guarded.auth.revoke(token);
  expect(await client.callTool('whoami')).toMatchObject({ content: [{ text: '{"scopes":["mcp.read"]}' }] });
  const refreshed = client.memory.savedTokens?.access_token ?? '';
  expect(refreshed).not.toBe(token);

  const { client_id: clientId } = client.memory.registered as { client_id: string };
  const form = new URLSearchParams({ token: refreshed, client_id: clientId });
  expect((await fetch(`${issuer}/token/revocation`, { method: 'POST', body: form })).status).toBe(200);
  expect(await statusOf(refreshed)).not.toBe(401);
  passTime(61_000);
  expect(await statusOf(refreshed)).toBe(401);
});
