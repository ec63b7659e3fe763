import { afterAll, expect, onTestFinished, test } from 'vitest';
import { expectDocumentLogin } from '../support/client-documents.js';
import { asUser } from '../support/identity-flow.js';
import { ALICE } from '../support/identity-logins.js';
import { startIdentityReplicas } from '../support/identity-replicas.js';
import { type LoggedIn, logIn, type Sdk } from '../support/mcp-login.js';
import { initialize, post } from '../support/mcp-requests.js';
import { REDIRECT_URI, registerClient } from '../support/oauth-proxy-client.js';
import { SECRET } from '../support/oauth-proxy-flow.js';
import { endPrograms } from '../support/program.js';
import type { Replicas } from '../support/replicas.js';
import { UserAgent } from '../support/user-agent.js';

afterAll(endPrograms);

const NEW_SECRET = 'another secret of more than thirty-two characters';
const ANSWER = { content: [{ type: 'text', text: expect.stringContaining('mcp.read') }] };

async function logInAlice(sdk: Sdk, { resource }: Replicas): Promise<LoggedIn> {
  const client = await logIn(sdk, resource, asUser(ALICE));
  onTestFinished(() => client.close());
  client.memory.authorizationUrl = undefined;
  return client;
}

/** Calls the tool with the access token, and with one that it must refresh before. No login may be asked for. */
async function expectToGoOn({ memory, callTool }: LoggedIn): Promise<void> {
  const before = memory.savedTokens?.access_token;
  expect(await callTool('whoami')).toMatchObject(ANSWER);
  expect(memory.savedTokens?.access_token).toBe(before);
  memory.spoilAccessToken();
  expect(await callTool('whoami')).toMatchObject(ANSWER);
  expect(memory.savedTokens?.access_token).not.toBe(before);
  expect(memory.authorizationUrl).toBeUndefined();
}

async function statusOf({ resource }: Replicas, token: string | undefined): Promise<number> {
  const response = await post(resource, initialize(), { authorization: `Bearer ${token}` });
  await response.text();
  return response.status;
}

test.each([
  ['v1', 'GitHub'],
  ['v2', 'GitLab'],
] as const)(
  'a login of SDK %s at %s goes on at two replicas, after a restart, and with a new secret',
  async (sdk, name) => {
    const replicas = await startIdentityReplicas(name, { replicas: 2 });
    const client = await logInAlice(sdk, replicas);
    await expectToGoOn(client);
    await expectToGoOn(client);
    await replicas.restart();
    await expectToGoOn(client);
    const old = client.memory.savedTokens?.access_token;
    await replicas.restart({ oauthProxy: { secret: [NEW_SECRET, SECRET] } });
    expect(await statusOf(replicas, old)).toBe(200);
    await expectToGoOn(client);
    await replicas.restart({ oauthProxy: { secret: [NEW_SECRET] } });
    expect(await client.callTool('whoami')).toMatchObject(ANSWER);
    expect(await statusOf(replicas, old)).toBe(401);
  },
);

test('a restart between all the steps of a login', async () => {
  const replicas = await startIdentityReplicas('GitHub');
  const { base } = replicas;
  const client = await registerClient(replicas);
  await replicas.restart();
  const agent = new UserAgent();
  const visit = async (address: string | URL, goal: string) => {
    const end = await agent.visit(address, asUser(ALICE), ({ href }) => href.startsWith(goal));
    await replicas.restart();
    return end instanceof URL ? end : expect.fail(`stopped at ${end.url}: ${end.html}`);
  };
  const callback = await visit(client.authorizationUrl(), `${base}/callback?`);
  const end = await visit(callback, `${REDIRECT_URI}?`);
  const { body } = await client.token({ code: end.searchParams.get('code') ?? '' });
  await replicas.restart();
  expect(await statusOf(replicas, body.access_token as string)).toBe(200);
});

test.each([
  ['v1', 'GitHub'],
  ['v2', 'a GitHub App'],
  ['v1', 'Google'],
  ['v2', 'GitLab'],
  ['v1', 'OAuth2'],
] as const)('SDK %s logs in at %s by its document, calls a tool, and refreshes', async (sdk, name) => {
  await expectDocumentLogin(sdk, await startIdentityReplicas(name), asUser(ALICE));
});
