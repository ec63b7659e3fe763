import { rm } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { startDevIssuerAndServer } from '../support/dev-issuer.js';
import { ClientMemory, logIn, reconnect, SDKS } from '../support/mcp-login.js';
import { type FillIn, UserAgent } from '../support/user-agent.js';

const click: FillIn = () => ({});

test.each(SDKS)('after a restart SDK %s goes on with its token, and refreshes it, without a login', async (sdk) => {
  const { resource, restart } = await startDevIssuerAndServer();
  const memory = new ClientMemory();
  await (await logIn(sdk, resource, click, { memory })).close();
  await restart();
  const before = memory.savedTokens?.access_token;
  await (await reconnect(sdk, resource, memory)).close();
  expect(memory.savedTokens?.access_token, 'the token is still good').toBe(before);
  memory.spoilAccessToken();
  const again = await reconnect(sdk, resource, memory);
  onTestFinished(() => again.close());
  expect(await again.callTool('whoami')).toMatchObject({ content: [{ type: 'text' }] });
});

test.each(['none', 'client_secret_post', 'client_secret_basic', undefined])(
  'after a restart a client of method %s keeps its id and secret',
  async (token_endpoint_auth_method) => {
    const { resource, restart } = await startDevIssuerAndServer();
    const memory = new ClientMemory({ token_endpoint_auth_method });
    await (await logIn('v1', resource, click, { memory })).close();
    const { registered } = memory;
    await restart();
    memory.forgetTokens();
    memory.authorizationUrl = undefined;
    await (await logIn('v1', resource, click, { memory })).close();
    expect(memory.registered).toEqual(registered);
  },
);

test('tells an unknown client, and the developer, what to do', async () => {
  const { issuer, resource, restart, stateFile, lines } = await startDevIssuerAndServer();
  const memory = new ClientMemory();
  await (await logIn('v1', resource, click, { memory })).close();
  await restart(() => rm(stateFile));
  const url = memory.authorizationUrl ?? issuer;
  const page = await new UserAgent().visit(
    url,
    () => undefined,
    () => false,
  );
  if (page instanceof URL) throw new Error('no page');
  expect(page.response.status).toBe(400);
  expect(page.response.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
  expect(page.html).toContain('Make the client forget this server, then connect again');
  const { client_id = '' } = memory.registered as { client_id?: string };
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x', client_id });
  const answer = await fetch(`${issuer}/token`, { method: 'POST', body });
  expect(answer.status).toBe(401);
  expect(await answer.json()).toEqual({
    error: 'invalid_client',
    error_description:
      'The client is not registered here, or its secret is wrong; the client must forget this server and register again',
  });
  const help = 'Make the client forget this server, then connect again';
  expect(lines.filter((line) => line.includes('refused'))).toEqual([
    `warn the development issuer refused a login: invalid_client: client is invalid. ${help}`,
    `warn the development issuer refused a token: invalid_client: client authentication failed. ${help}`,
  ]);
});
