import express from 'express';
import { expect, test } from 'vitest';
import { diagnose } from '../../../src/doctor/doctor.js';
import { createProbe } from '../../../src/doctor/probe.js';
import { type McpAuthOptions, mcpAuth } from '../../../src/index.js';
import { answerMcp, startGuardedServer } from '../../support/guarded-server.js';
import { SECRET } from '../../support/issuing-flow.js';
import { serve } from '../../support/loopback-server.js';
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

/** An MCP server that has only a part of its host, whose users log in at an identity provider. */
async function startPart() {
  const upstream = await startOpaqueLoginServer();
  const app = express();
  const origin = await serve(app);
  const resource = `${origin}/mcp`;
  const policy = {
    provider: { github: { url: upstream.origin, allow: () => true } },
    clientId: LOGIN_CLIENT.id,
    clientSecret: LOGIN_CLIENT.secret,
    oauthProxy: { secret: SECRET },
    resourceMetadata: { resource, url: `${resource}/.well-known/oauth-protected-resource`, scopesSupported: ['mcp'] },
  } as McpAuthOptions;
  app.use('/mcp', mcpAuth(policy), answerMcp);
  upstream.state.callback = `${resource}/.well-known/oauth-authorization-server/callback`;
  return resource;
}

test.each(SDKS)('a client of SDK %s logs in where the server has only a part of its host', async (sdk) => {
  const { callTool, close } = await logIn(sdk, await startPart(), asAlice);
  expect(await callTool('whoami')).toMatchObject({ content: [{ type: 'text', text: '{"scopes":["mcp"]}' }] });
  await close();
});

test('the doctor does not complain of the empty key set there', async () => {
  const url = await startPart();
  const steps: string[] = [];
  for await (const { status, step } of diagnose({ url }, createProbe(url))) steps.push(`${status} ${step}`);
  expect(steps).toContain('ok server metadata');
  expect(steps.filter((step) => step.endsWith('key set'))).toEqual([]);
});
