import { expect, onTestFinished, test } from 'vitest';
import { startGuardedServer } from '../support/guarded-server.js';
import { logIn, SDKS } from '../support/mcp-login.js';
import { atKeycloak } from './fill-in.js';

test.each(SDKS)('SDK %s logs in at Keycloak through the facade, calls a tool, and refreshes', async (sdk) => {
  const guarded = await startGuardedServer(() => ({
    issuer: 'http://localhost:7080/realms/mcp',
    audiences: ['mcp_proxy'],
    provider: { keycloak: {} },
    resourceMetadata: { scopesSupported: ['profile', 'offline_access', 'openid'] },
  }));
  const client = await logIn(sdk, guarded.resource, atKeycloak);
  onTestFinished(() => client.close());
  expect(client.callback.searchParams.get('iss')).toBe(guarded.resource);
  expect(await client.callTool('whoami')).toMatchObject({ content: [{ type: 'text' }] });
  const before = client.memory.held?.access_token ?? '';
  guarded.auth.revoke(before);
  expect(await client.callTool('whoami')).toMatchObject({ content: [{ type: 'text' }] });
  expect(client.memory.held?.access_token).not.toBe(before);
});
