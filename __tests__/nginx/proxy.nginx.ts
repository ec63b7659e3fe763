import { request } from 'node:http';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import express, { type Express } from 'express';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { mcpAuth, mcpStdioBackend, protectedResourceMetadata } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { answerMcp } from '../support/guarded-server.js';
import { freePort, serve } from '../support/loopback-server.js';
import { logIn, SDKS } from '../support/mcp-login.js';
import { initialize, JSON_HEADERS } from '../support/mcp-requests.js';
import { PROXY_LINES, startNginx } from '../support/nginx.js';
import { atOidcServer, startOidcServer } from '../support/oidc-server.js';
import { endPrograms, ROOT, startNode } from '../support/program.js';
import { NODE, SCRIPTED } from '../support/stdio-bridge.js';

afterAll(endPrograms);

test('samples/stdio-backend.ts behind nginx: a client of the MCP SDK calls a tool', async () => {
  const issuer = createTestIssuer();
  await issuer.listen();
  onTestFinished(() => issuer.close());
  const port = await freePort();
  const env = { PORT: `${port}`, ISSUER: issuer.issuer };
  await startNode([`${ROOT}build/samples/stdio-backend.js`], { env }).says(/Listening on/);
  const origin = await startNginx(`http://127.0.0.1:${port}`);
  expect((await fetch(`${origin}/mcp`, { method: 'POST' })).status).toBe(401);
  const client = new Client({ name: 'test', version: '1' });
  const headers = { authorization: `Bearer ${issuer.tokenFor(`http://localhost:${port}/mcp`)}` };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${origin}/mcp`), { requestInit: { headers } }) as never,
  );
  onTestFinished(() => client.close());
  const { content } = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
  expect(content).toEqual([{ type: 'text', text: 'Echo: hello' }]);
});

test.each([
  ['with trust proxy: the address of nginx', 'loopback', (proxy: string) => proxy],
  ['without: the address that the program sees', false, () => 'http://127.0.0.1'],
])('a policy without a resource names its own address, %s', async (_case, trusted, expected) => {
  const policy = { issuer: 'https://issuer.example', audiences: ['mcp'] };
  const app = express().set('trust proxy', trusted).use(mcpAuth(policy), protectedResourceMetadata(policy));
  const origin = await startNginx(await serve(app));
  const metadata = await fetch(`${origin}/.well-known/oauth-protected-resource`);
  expect(await metadata.json()).toMatchObject({ resource: expected(origin) });
  const refused = await fetch(`${origin}/mcp`, { method: 'POST' });
  expect(refused.headers.get('www-authenticate')).toBe(
    `Bearer resource_metadata="${expected(origin)}/.well-known/oauth-protected-resource"`,
  );
});

/** nginx owns a prefix and removes it. What is outside of the prefix is not ours. */
const STRIPPED = `${PROXY_LINES}
  if ($uri !~ ^/tools/) { return 404; }
  rewrite ^/tools/(.*) /$1 break;`;

test.each(SDKS)('SDK %s logs in behind a removed prefix, by resourceMetadata.url', async (sdk) => {
  let app: Express | undefined;
  const origin = await startNginx(await serve((req, res) => app?.(req, res)), STRIPPED);
  const resource = `${origin}/tools/mcp`;
  const policy = {
    issuer: await startOidcServer(() => resource),
    resourceMetadata: { resource, url: `${origin}/tools/.well-known/oauth-protected-resource/mcp` },
    requiredScopes: ['mcp.read'],
  };
  app = express().use(mcpAuth(policy), protectedResourceMetadata(policy));
  app.all('/mcp', answerMcp);
  expect((await fetch(`${origin}/.well-known/oauth-protected-resource/tools/mcp`)).status).toBe(404);
  const client = await logIn(sdk, resource, atOidcServer);
  onTestFinished(() => client.close());
  expect(await client.callTool('whoami')).toMatchObject({ content: [{ text: '{"scopes":["mcp.read"]}' }] });
});

const initializeAs = (origin: string, headers: Record<string, string>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const options = { method: 'POST', headers: { ...JSON_HEADERS, ...headers } };
    const call = request(`${origin}/mcp`, options, (res) => resolve(res.resume().statusCode));
    call.on('error', reject).end(JSON.stringify(initialize()));
  });

test('a backend without a resource accepts the host of the policy, and no other', async () => {
  const issuer = createTestIssuer();
  const policy = issuer.policy({ resource: 'https://mcp.example.test/mcp' });
  const backend = mcpStdioBackend({ command: NODE, args: [SCRIPTED] });
  onTestFinished(() => backend.close());
  const origin = await startNginx(await serve(express().use(mcpAuth(policy)).use('/mcp', backend)));
  const authorization = `Bearer ${issuer.token()}`;
  expect(await initializeAs(origin, { authorization, host: 'mcp.example.test' })).toBe(200);
  expect(await initializeAs(origin, { authorization, host: 'evil.example.test' })).toBe(403);
});
