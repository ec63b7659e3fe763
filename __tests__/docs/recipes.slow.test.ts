import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { withLoginRules } from '../../src/gateway/config/login-rules.js';
import { blockToRun } from '../support/code-blocks.js';
import { makeGatewayFolder } from '../support/gateway-folder.js';
import { startGithubServer } from '../support/github-server.js';
import { startGitlabServer } from '../support/gitlab-server.js';
import { startGoogleServer } from '../support/google-server.js';
import { asUser, IDENTITY_KINDS, type IdentityKindName, logIn, startIdentityFlow } from '../support/identity-flow.js';
import { ALICE, BOB } from '../support/identity-logins.js';
import { freePort } from '../support/loopback-server.js';
import { logIn as logInWithSdk } from '../support/mcp-login.js';
import { CLI, endPrograms, ROOT, startNode } from '../support/program.js';

afterAll(endPrograms);

const read = (file: string) => readFileSync(ROOT + file, 'utf8');

const RECIPES = [
  {
    name: 'github',
    secrets: blockToRun('docs/recipes/github.md', 'github-secrets'),
    command: blockToRun('docs/recipes/github.md', 'github-start'),
    startServer: startGithubServer,
  },
  {
    name: 'google',
    secrets: blockToRun('docs/recipes/google.md', 'google-secrets'),
    command: blockToRun('docs/recipes/google.md', 'google-start'),
    startServer: startGoogleServer,
  },
  {
    name: 'gitlab',
    secrets: blockToRun('docs/recipes/gitlab.md', 'gitlab-secrets'),
    command: blockToRun('docs/recipes/gitlab.md', 'gitlab-start'),
    startServer: startGitlabServer,
  },
];

/** Loaded into the processes, which then reach the imitation. */
const HOSTS = `--import=${ROOT}__tests__/fixtures/identity-hosts.mjs`;

/** The variables that a shell has after the commands of a block. */
function variablesAfter(block: string): Record<string, string> {
  const print = 'node -p "JSON.stringify(process.env)"';
  return JSON.parse(execFileSync('sh', ['-euc', `${block}\n${print}`], { encoding: 'utf8' }));
}

describe.each(RECIPES)('docs/recipes/$name.md', ({ name, secrets, command, startServer }) => {
  async function setUp() {
    const upstream = await startServer();
    const port = await freePort();
    const variables = variablesAfter(secrets);
    const [id, secret] = ['CLIENT_ID', 'CLIENT_SECRET'].map((key) => variables[`${name.toUpperCase()}_${key}`] ?? '');
    const callback = /http:\/\/localhost:3000\/\S+\/callback/.exec(read(`docs/recipes/${name}.md`))?.[0] ?? '';
    const redirectUri = callback.replace('3000', `${port}`);
    upstream.register({ id: id as string, secret: secret as string, redirectUri });
    const env = { ...variables, ...upstream.env, PORT: `${port}`, NODE_OPTIONS: HOSTS };
    return { url: new URL(`http://localhost:${port}/mcp`), env, port };
  }

  async function expectAliceOnly(url: URL): Promise<void> {
    const alice = await logInWithSdk('v1', url.href, asUser(ALICE));
    expect(await alice.callTool('echo', { message: 'hello' })).toMatchObject({ content: [{ text: 'Echo: hello' }] });
    await alice.close();
    await expect(logInWithSdk('v1', url.href, asUser(BOB))).rejects.toThrow('This account may not use this server');
  }

  test('the program runs as it is pasted', async () => {
    const { url, env } = await setUp();
    await startNode([`${ROOT}build/samples/${name}/server.js`], { env }).says(/Listening on/);
    await expectAliceOnly(url);
  });

  test('the file starts with the command, as it is pasted', async () => {
    const { url, env, port } = await setUp();
    const folder = await makeGatewayFolder();
    onTestFinished(() => folder.remove());
    const file = await folder.write('config.yaml', read(`samples/${name}/config.yaml`).replaceAll('3000', `${port}`));
    const options = command.replace('config.yaml', file).trim().split(' ').slice(2);
    await startNode([CLI, ...options], { env }).says(/:\d+/);
    await expectAliceOnly(url);
  });
});

test('the file of docs/recipes/gitlab.md works with a GitLab of your own, once its address is in it', async () => {
  const upstream = await startGitlabServer('gitlab.example');
  const port = await freePort();
  const redirectUri = `http://localhost:${port}/.well-known/oauth-authorization-server/mcp/callback`;
  upstream.register({ id: 'own', secret: 'of our own GitLab', redirectUri });
  const folder = await makeGatewayFolder();
  onTestFinished(() => folder.remove());
  const text = read('samples/gitlab/config.yaml')
    .replaceAll('3000', `${port}`)
    .replace('https://gitlab.com', 'https://gitlab.example');
  const env = {
    ...upstream.env,
    NODE_OPTIONS: HOSTS,
    GITLAB_CLIENT_ID: 'own',
    GITLAB_CLIENT_SECRET: 'of our own GitLab',
    MCP_SECRET: 's'.repeat(43),
  };
  await startNode([CLI, '-f', await folder.write('config.yaml', text)], { env }).says(/:\d+/);
  const alice = await logInWithSdk('v1', `http://localhost:${port}/mcp`, asUser(ALICE));
  await alice.close();
});

/** The rows of the table "Who may log in": the expression, and the scopes that it needs. */
function rulesOf(page: string): { rule: string; scopes: string[] | undefined }[] {
  const [, section = ''] = /^## Who may log in$([\s\S]*?)^## /m.exec(read(page)) ?? [];
  return [...section.matchAll(/^\| `(profile\.[^|`]+|"[^|`]+)` \|(?: (?:`(\[[^`]*\])`)? ?\|)?/gm)].map(
    ([, rule = '', list]) => ({
      rule,
      scopes: list === undefined ? undefined : (parse(list) as string[]),
    }),
  );
}

describe.each<[string, IdentityKindName, number]>([
  ['docs/recipes/github.md', 'GitHub', 5],
  ['docs/recipes/google.md', 'Google', 3],
  ['docs/recipes/gitlab.md', 'GitLab', 5],
])('each rule of %s', (page, kind, count) => {
  const rules = rulesOf(page);

  test('is found', () => expect(rules).toHaveLength(count));

  test.each(rules)('lets in alice, and not bob: $rule', async ({ rule, scopes }) => {
    const { option } = IDENTITY_KINDS[kind];
    const settings = kind === 'GitHub' ? { allow: rule, scopes: scopes ?? [] } : { allow: rule };
    const { provider } = withLoginRules({ provider: { [option]: settings } }) as { provider: Record<string, object> };
    const flow = await startIdentityFlow(kind, provider[option] as Record<string, unknown>);
    expect((await logIn(flow, ALICE)).answer.status).toBe(200);
    expect((await logIn(flow, BOB)).answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
});
