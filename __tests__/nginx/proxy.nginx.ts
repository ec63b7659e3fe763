import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import express from 'express';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { mcpAuth, mcpStdioBackend, protectedResourceMetadata } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { freePort, serve } from '../support/loopback-server.js';
import { initialize, JSON_HEADERS } from '../support/mcp-requests.js';
import { endPrograms, ROOT, startNode, startProgram } from '../support/program.js';
import { NODE, SCRIPTED } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

afterAll(endPrograms);

/** Starts nginx in front of an origin, with the headers of its documentation; resolves to the origin of nginx. */
async function startNginx(upstream: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nginx-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  await writeFile(file, configFor(port, upstream, folder));
  const nginx = startProgram('nginx', ['-p', folder, '-c', file, '-e', 'stderr']);
  onTestFinished(async () => void (await nginx.stop()));
  const origin = `http://127.0.0.1:${port}`;
  await until(() => fetch(origin).then(Boolean, () => false));
  return origin;
}

const configFor = (port: number, upstream: string, folder: string): string => `
  daemon off;
  master_process off;
  pid ${folder}/nginx.pid;
  events {}
  http {
    access_log off;
    client_body_temp_path ${folder}/bodies;
    proxy_temp_path ${folder}/answers;
    server {
      listen 127.0.0.1:${port};
      location / {
        proxy_pass ${upstream};
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header X-Forwarded-Proto $scheme;
      }
    }
  }`;

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
