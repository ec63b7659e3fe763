import { expect, test } from 'vitest';
import { startGuardedServer } from '../../support/guarded-server.js';
import { SECRET } from '../../support/issuing-flow.js';
import { logIn, reconnect, SDKS } from '../../support/mcp-login.js';
import { asAlice } from '../../support/oauth-proxy-flow.js';
import { LOGIN_CLIENT, startOpaqueLoginServer } from '../../support/opaque-login-server.js';

test.each(SDKS)('a client of SDK %s logs in, calls a tool, refreshes and comes back', async (sdk) => {
  const upstream = await startOpaqueLoginServer({ expiresIn: 28_800, refresh: 'rotates' });
  const { origin, resource } = await startGuardedServer(() => ({
    provider: { github: { url: upstream.origin, allow: ({ login }: Record<string, unknown>) => login === 'octocat' } },
    clientId: LOGIN_CLIENT.id,
    clientSecret: LOGIN_CLIENT.secret,
    oauthProxy: { secret: SECRET },
    requiredScopes: ['mcp'],
    resourceMetadata: { scopesSupported: ['mcp'] },
  }));
  upstream.state.callback = `${origin}/.well-known/oauth-authorization-server/mcp/callback`;
  const { memory, callTool, close } = await logIn(sdk, resource, asAlice);
  expect(memory.savedTokens?.access_token).toMatch(/^emat_/);
  const answer = { content: [{ type: 'text', text: '{"scopes":["mcp"]}' }] };
  expect(await callTool('whoami')).toMatchObject(answer);
  await close();
  memory.spoilAccessToken();
  const again = await reconnect(sdk, resource, memory);
  expect(memory.savedTokens?.access_token).toMatch(/^emat_/);
  expect(await again.callTool('whoami')).toMatchObject(answer);
  await again.close();
});
