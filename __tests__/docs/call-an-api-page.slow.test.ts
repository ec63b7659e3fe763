import { execFileSync } from 'node:child_process';
import { afterAll, expect, test } from 'vitest';
import type { McpAuthOptions } from '../../src/index.js';
import { resolveAuth } from '../../src/policy/resolve-auth.js';
import { blockToRun } from '../support/code-blocks.js';
import { startExchangeServer } from '../support/exchange-server.js';
import { startGithubServer } from '../support/github-server.js';
import { asUser } from '../support/identity-flow.js';
import { ALICE } from '../support/identity-logins.js';
import { freePort } from '../support/loopback-server.js';
import { logIn } from '../support/mcp-login.js';
import { endPrograms, ROOT, startNode } from '../support/program.js';
import { userOfV1, userOfV2 } from '../support/sdk-users.js';

afterAll(endPrograms);

const SAMPLES = `${ROOT}build/samples/call-an-api`;

test('docs/recipes/call-an-api-as-the-user.md: the tool lists the private repositories of the user who logged in', async () => {
  const github = await startGithubServer();
  const port = await freePort();
  const print = 'node -p "JSON.stringify(process.env)"';
  const secrets = `${blockToRun('docs/recipes/github.md', 'github-secrets')}\n${print}`;
  const variables = JSON.parse(execFileSync('sh', ['-euc', secrets], { encoding: 'utf8' }));
  const redirectUri = `http://localhost:${port}/.well-known/oauth-authorization-server/mcp/callback`;
  github.register({ id: variables.GITHUB_CLIENT_ID, secret: variables.GITHUB_CLIENT_SECRET, redirectUri });
  const NODE_OPTIONS = `--import=${ROOT}__tests__/fixtures/identity-hosts.mjs`;
  const env = { ...variables, ...github.env, PORT: `${port}`, NODE_OPTIONS };
  const server = startNode([`${SAMPLES}/server.js`], { env });
  await server.says(/Listening on/);
  const alice = await logIn('v1', `http://localhost:${port}/mcp`, asUser(ALICE));
  const { content } = (await alice.callTool('list_repositories', {})) as { content: [{ text: string }] };
  const names = JSON.parse(content[0].text).map((repository: { full_name: string }) => repository.full_name);
  expect(names).toEqual(['alice/notes', 'alice/diary']);
  await alice.close();
  expect(server.stdout + server.stderr).not.toMatch(/gho_|emat_/);
});

test('docs/recipes/call-an-api-as-the-user.md: with token exchange, the tool lists the repositories of two users', async () => {
  const clientSecret = 'a secret of the MCP server';
  const issuer = await startExchangeServer('RFC 8693', { clientId: 'mcp-server', clientSecret });
  const port = await freePort();
  const env = { PORT: `${port}`, ISSUER: issuer.issuer, CLIENT_SECRET: clientSecret, API: issuer.api };
  const server = startNode([`${SAMPLES}/exchange.js`], { env });
  await server.says(/Listening on/);
  for (const [name, connect] of [
    ['ada', userOfV1],
    ['bob', userOfV2],
  ] as const) {
    const authorization = `Bearer ${issuer.issue(name, { aud: 'mcp-server' })}`;
    const user = await connect(`http://localhost:${port}/mcp`, name, { authorization });
    expect(JSON.parse(await user.call('list_repositories', {}))).toEqual([{ full_name: `${name}/notes` }]);
    await user.close();
  }
  const log = server.stdout + server.stderr;
  for (const token of issuer.exchanged) expect(log).not.toContain(token);
});

test('docs/recipes/call-an-api-as-the-user.md: the policy for Entra ID asks its token endpoint', async () => {
  const { policy } = (await import(`${SAMPLES}/entra.js`)) as { policy: McpAuthOptions };
  const { exchange } = resolveAuth('test', policy);
  expect(exchange?.endpointFor?.('').href).toBe(
    'https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/oauth2/v2.0/token',
  );
  expect(exchange?.authMethod).toBe('client_secret_post');
});
