import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startDevIssuer } from '../../src/gateway/dev-issuer/dev-issuer.js';
import { configText } from '../support/config-text.js';
import { startDevGateway } from '../support/dev-gateway.js';
import { startDevIssuerAndServer } from '../support/dev-issuer.js';
import { AUTHENTICATION, type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { ClientMemory, logIn, SDKS } from '../support/mcp-login.js';
import { CLI, endPrograms, startNode } from '../support/program.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { type FillIn, UserAgent } from '../support/user-agent.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
});
afterEach(endPrograms);
afterAll(() => folder.remove());

const click: FillIn = () => ({});

describe('--dev-issuer', () => {
  test.each(SDKS)('SDK %s logs in with one click, calls a tool, and refreshes', async (sdk) => {
    const { resource, issuer, program } = await startDevGateway(folder);
    const agent = new UserAgent();
    const client = await logIn(sdk, resource, click, { agent });
    onTestFinished(() => client.close());
    expect(
      agent.visited.filter((url) => url.includes('/interaction/')),
      'one page, one click',
    ).toHaveLength(2);
    expect(client.callback.searchParams.get('iss')).toBe(issuer);
    const echo = { content: [{ text: 'Echo: hello' }] };
    expect(await client.callTool('echo', { message: 'hello' })).toMatchObject(echo);
    const before = client.memory.savedTokens?.access_token;
    client.memory.spoilAccessToken();
    expect(await client.callTool('echo', { message: 'hello' })).toMatchObject(echo);
    expect(client.memory.savedTokens?.access_token).not.toBe(before);
    await client.close();
    expect(await program.stop('SIGINT')).toBe(0);
  });

  test('prints only lines of the gateway, on every Node', async () => {
    const { program } = await startDevGateway(folder);
    await program.stop('SIGINT');
    const lines = `${program.stdout}${program.stderr}`.trimEnd().split('\n');
    expect(lines.filter((line) => !/^(?:INFO|WARN) express-mcp-auth: /.test(line))).toEqual([]);
  });

  test("replaces the file's own issuer for logins, and accepts its tokens", async () => {
    const { resource, issuer } = await startDevGateway(folder, {
      provider: { keycloak: {} },
      oauthProxy: { legacyEndpoints: true },
    });
    const metadata = await fetch(new URL('/.well-known/oauth-protected-resource/mcp', resource));
    expect(await metadata.json()).toMatchObject({ resource, authorization_servers: [issuer] });
    const headers = { authorization: `Bearer ${folder.token({ scopes: ['read:all'] })}` };
    expect((await fetch(resource, { headers })).status).not.toBe(401);
  });

  test.each([
    ['cursor://anysphere.cursor-retrieval/callback', undefined],
    ['http://localhost:6274/oauth/callback', undefined],
    ['https://client.example/callback', 'web'],
  ])('accepts the redirect URI %s', async (redirectUrl, application_type) => {
    const { resource } = await startDevGateway(folder);
    const memory = new ClientMemory({ redirectUrl, ...(application_type && { application_type }) });
    const client = await logIn('v1', resource, click, { memory });
    await client.close();
    expect(client.callback.href).toMatch(redirectUrl);
  });
});

describe('the issuer', () => {
  const { logger } = createRecordingLogger();

  const start = async (ofIssuer = logger) => {
    const resources = [{ resource: 'http://localhost:3000/mcp', scopes: ['a'], ruleScopes: [] }];
    const issuer = await startDevIssuer({
      port: 0,
      resources,
      tokenSeconds: 3_600,
      stateFile: undefined,
      logger: ofIssuer,
    });
    onTestFinished(() => issuer.close());
    return issuer;
  };

  /** The authorization endpoint with the request of a client of this name. */
  const authorizationUrl = async (issuer: string, client_name: string): Promise<string> => {
    const redirect_uri = 'http://127.0.0.1/cb';
    const response = await fetch(`${issuer}/reg`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name, redirect_uris: [redirect_uri], token_endpoint_auth_method: 'none' }),
    });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    const { client_id } = (await response.json()) as { client_id: string };
    const query = new URLSearchParams({
      ...{ client_id, redirect_uri, response_type: 'code' },
      ...{ code_challenge: 'a'.repeat(43), code_challenge_method: 'S256' },
      ...{ scope: 'openid a', resource: 'http://localhost:3000/mcp' },
    });
    return `${issuer}/auth?${query}`;
  };

  const pageAt = async (url: string, agent = new UserAgent()) => {
    const page = await agent.visit(
      url,
      () => undefined,
      () => false,
    );
    if (page instanceof URL) throw new Error('no page');
    return page;
  };

  test('asks for a click every time, in a page that cannot be framed', async () => {
    const url = await authorizationUrl((await start()).issuer, 'Client');
    const agent = new UserAgent();
    for (const _round of [1, 2]) {
      const page = await pageAt(url, agent);
      expect(page.response.headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; frame-ancestors 'none'$/,
      );
      await agent.visit(url, click, ({ pathname }) => pathname === '/cb');
      const another = await new UserAgent().load(page.url, { method: 'POST' });
      expect(another.response.status, 'another browser').toBe(400);
    }
  });

  test.each([
    ['\u202e<b>“Client</b>\u3164', '<bdi>&lt;b&gt;Client&lt;/b&gt;</bdi>'],
    ['\u0007 \u3164', 'A client without a name'],
  ])('shows the name %j as %s', async (name, shown) => {
    const { html } = await pageAt(await authorizationUrl((await start()).issuer, name));
    expect(html).toContain(`<strong>${shown}</strong> asks for a token`);
  });

  test('says which resources it serves, if a client asks for another', async () => {
    const { lines, logger: recording } = createRecordingLogger();
    const { issuer } = await start(recording);
    const url = new URL(await authorizationUrl(issuer, 'Client'));
    url.searchParams.set('resource', 'http://localhost:3411/mcp');
    const reason = 'asked for http://localhost:3411/mcp; this issuer serves http://localhost:3000/mcp only';
    const { headers } = await fetch(url, { redirect: 'manual' });
    expect(new URL(headers.get('location') ?? '').searchParams.get('error_description')).toBe(reason);
    expect(lines).toEqual([
      `warn the development issuer refused a login for the client "Client": invalid_target: ${reason}`,
    ]);
  });

  test('answers only to its own host name', async () => {
    const { issuer } = await start();
    const { port } = new URL(issuer);
    const { request } = await import('node:http');
    const status = await new Promise((resolve) => {
      const headers = { host: `evil.example:${port}` };
      request({ host: '127.0.0.1', port, path: '/.well-known/openid-configuration', headers }, (res) => {
        res.resume();
        resolve(res.statusCode);
      }).end();
    });
    expect(status).toBe(403);
  });

  test('says in one sentence that its port is in use', async () => {
    const { issuer } = await start();
    const port = Number(new URL(issuer).port);
    const options = { port, resources: [], tokenSeconds: 3_600, stateFile: undefined, logger };
    await expect(startDevIssuer(options)).rejects.toThrow(
      `the development issuer needs port ${port} on 127.0.0.1, which is in use: stop the program that uses it, or set --dev-issuer-port`,
    );
  });
});

test('--dev-issuer grants scopes of rules, and says which scopes it does not grant, and what to write', async () => {
  const announced = ['read:all', 'files:write', 'mcp:call'];
  const { resource, lines } = await startDevIssuerAndServer({ announced, ruleScopes: ['files:write'] });
  const client = await logIn('v1', resource, click);
  onTestFinished(() => client.close());
  const scopes = JSON.stringify({ scopes: ['read:all', 'files:write'] });
  expect(await client.callTool('whoami')).toMatchObject({ content: [{ text: scopes }] });
  expect(lines.filter((line) => line.startsWith('warn'))).toEqual([
    `warn the development issuer did not grant mcp:call to the client "Test client": the file has no such scopes for ${resource}. If the server needs them, list them as resourceMetadata.scopesSupported beside this resource`,
  ]);
});

test.each([
  [
    'no resource',
    { resourceMetadata: {} },
    ['--dev-issuer'],
    'resourceMetadata.resource is missing: --dev-issuer issues tokens for it',
  ],
  [
    'no port',
    {},
    ['--dev-issuer', '--dev-issuer-port', 'x'],
    '--dev-issuer-port must be a port number from 0 to 65535. See express-mcp-auth --help.',
  ],
  ...['0', '86401', '1.5', '-1', 'x', ''].map((seconds): [string, object, string[], string] => [
    `a lifetime of ${JSON.stringify(seconds)}`,
    {},
    ['--dev-issuer', `--dev-issuer-ttl=${seconds}`],
    '--dev-issuer-ttl must be a number of seconds from 1 to 86400. See express-mcp-auth --help.',
  ]),
  [
    'a key file that is missing',
    { jwks: { file: './none' } },
    ['--dev-issuer', '--dev-issuer-port', '0'],
    'mcpAuthentication: mcpAuth(): option "jwks.file" must be a readable file',
  ],
  [
    'a key file that is missing, of one of several issuers',
    {
      issuers: [{ issuer: 'https://a.example', jwks: { file: './none' } }],
      issuer: undefined,
      jwks: undefined,
      audiences: undefined,
    },
    ['--dev-issuer', '--dev-issuer-port', '0'],
    'mcpAuthentication: mcpAuth(): option "issuers[0].jwks.file" must be a readable file',
  ],
])('%s is refused', async (_name, changes, args, sentence) => {
  await folder.write(
    'refused.yaml',
    configText({ bind: { port: 0 }, route: { policies: { mcpAuthentication: { ...AUTHENTICATION, ...changes } } } }),
  );
  const program = startNode([CLI, '-f', 'refused.yaml', ...args], { cwd: folder.path });
  expect(await program.ended).toBe(1);
  expect(program.stderr).toContain(sentence);
});
