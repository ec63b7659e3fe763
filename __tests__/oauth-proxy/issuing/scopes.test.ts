import { expect, test } from 'vitest';
import { refreshAt, startIssuingFlow, tokensOf } from '../../support/issuing-flow.js';

test.each([
  ['mcp.write', 'mcp.write'],
  ['mcp.write repo', 'mcp.write'],
  ['mcp.write mcp.read', 'mcp.read mcp.write'],
  ['', 'mcp.read mcp.write'],
  ['offline_access', 'mcp.read mcp.write'],
  ['openid', 'mcp.read mcp.write'],
  ['openid profile offline_access', 'mcp.read mcp.write'],
  ['openid mcp.read', 'mcp.read'],
  ['repo openid', ''],
])('a client that asks for the scopes %j gets %j', async (asked, granted) => {
  const { client } = await startIssuingFlow();
  expect((await tokensOf(client, { scope: asked })).body.scope).toBe(granted);
});

test.each([
  ['offline_access', 'offline_access'],
  ['', 'mcp.read mcp.write offline_access'],
])('a refresh for %j gets %j, after a login that named no scope of the resource', async (scope, granted) => {
  const scopesSupported = ['mcp.read', 'mcp.write', 'offline_access'];
  const { server, client } = await startIssuingFlow({}, { policy: { resourceMetadata: { scopesSupported } } });
  const { body } = await tokensOf(client, { scope: 'openid profile offline_access' });
  expect(body.scope).toBe(scopesSupported.join(' '));
  const refreshed = (await refreshAt(server, client, body.refresh_token, { scope })).body;
  expect((await server.call(refreshed.access_token)).body.scopes).toEqual(granted.split(' '));
});

test.each([
  ['', undefined],
  ['openid', ''],
])('where a server has no scopes, a client that asks for %j gets %j', async (asked, granted) => {
  const policy = { resourceMetadata: { scopesSupported: [] } };
  const { server, client } = await startIssuingFlow({}, { policy });
  const { status, body } = await tokensOf(client, { scope: asked });
  expect({ status, scope: body.scope }).toEqual({ status: 200, scope: granted });
  expect((await server.call(body.access_token)).body.scopes).toEqual([]);
  expect((await refreshAt(server, client, body.refresh_token)).body).not.toHaveProperty('scope');
});

test('required scopes can be granted even if they are not listed', async () => {
  const { server, client } = await startIssuingFlow({}, { policy: { requiredScopes: ['mcp'] } });
  const { body } = await tokensOf(client);
  expect(body.scope).toBe('mcp.read mcp.write mcp');
  expect((await server.call(body.access_token)).status).toBe(200);
});
