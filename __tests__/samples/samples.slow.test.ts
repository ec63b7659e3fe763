import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestIssuer } from '../../src/testing/index.js';
import { endPrograms, ROOT, startNode } from '../support/program.js';

const issuer = createTestIssuer();
let token: string;
beforeAll(async () => {
  await issuer.listen();
  token = issuer.tokenFor('http://localhost:3000/mcp', { sub: 'alice', clientId: 'inspector', scopes: ['profile'] });
});
afterAll(async () => {
  await issuer.close();
  await endPrograms();
});

/** Starts a sample; resolves to the URL of its MCP server. */
async function start(file: string): Promise<URL> {
  const program = startNode([`${ROOT}${file}`], { env: { PORT: '0', ISSUER: issuer.issuer } });
  const [, port] = await program.says(/Listening on .*port: (\d+)/s);
  return new URL(`http://localhost:${port}/mcp`);
}

async function connect(url: URL): Promise<Client> {
  const client = new Client({ name: 'test', version: '1.0' });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }) as Parameters<Client['connect']>[0]);
  return client;
}

async function expectTwoAnswers(url: URL): Promise<void> {
  const refusal = await fetch(url, { method: 'POST' });
  expect([refusal.status, refusal.headers.get('www-authenticate'), await refusal.text()]).toEqual([
    401,
    'Bearer resource_metadata="http://localhost:3000/.well-known/oauth-protected-resource/mcp"',
    '{"error":"unauthorized","error_description":"JWT token required"}',
  ]);
  const metadata = await fetch(new URL('/.well-known/oauth-protected-resource/mcp', url));
  expect(await metadata.json()).toMatchObject({
    resource: 'http://localhost:3000/mcp',
    authorization_servers: [issuer.issuer],
  });
}

describe('samples/existing-mcp-server', () => {
  test('tells a caller who it is, and a stranger where to log in', async () => {
    const url = await start('build/samples/existing-mcp-server/server.js');
    await expectTwoAnswers(url);
    const client = await connect(url);
    const { content } = await client.callTool({ name: 'whoami' });
    expect(content).toEqual([{ type: 'text', text: 'alice, with inspector, may profile' }]);
    await client.close();
  });
});

describe('samples/stdio-backend.ts', () => {
  test('puts a stdio server on the web, behind tokens', async () => {
    const url = await start('build/samples/stdio-backend.js');
    await expectTwoAnswers(url);
    const client = await connect(url);
    const { content } = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
    expect(content).toEqual([{ type: 'text', text: 'Echo: hello' }]);
    await client.close();
  });
});

describe('samples/scopes.ts', () => {
  test('hides what a caller may not call, and names the scope that is missing', async () => {
    const url = await start('build/samples/scopes.js');
    await expectTwoAnswers(url);
    const client = await connect(url);
    expect((await client.listTools()).tools).toEqual([]);
    await expect(client.callTool({ name: 'echo', arguments: { message: 'x' } })).rejects.toThrow(/scope/i);
    await client.close();
  });
});

describe('samples/doctor.ts', () => {
  test('fails where clients do, and says what to change', async () => {
    const url = await start('build/samples/stdio-backend.js');
    const doctor = startNode([`${ROOT}build/samples/doctor.js`, url.href]);
    expect(await doctor.ended).toBe(1);
    // The sample says that it lives on port 3000, and here it does not.
    expect(doctor.stdout, doctor.stderr).toMatch(/^fault: .*http:\/\/localhost:3000\//m);
    expect(doctor.stdout).not.toMatch(/^ok/m);
  });
});

describe('samples/browser-clients.ts', () => {
  test('answers the preflight of its page, and of no other', async () => {
    const url = await start('build/samples/browser-clients.js');
    const preflight = async (origin: string) => {
      const headers = { origin, 'access-control-request-method': 'POST' };
      return (await fetch(url, { method: 'OPTIONS', headers })).headers.get('access-control-allow-origin');
    };
    expect(await preflight('https://app.example.com')).toBe('https://app.example.com');
    expect(await preflight('https://elsewhere.example')).toBeNull();
    await expectTwoAnswers(url);
  });
});

describe('samples/commonjs.cjs', () => {
  test('protects an app that uses require()', async () => {
    const url = await start('samples/commonjs.cjs');
    await expectTwoAnswers(url);
    const answer = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
    expect(await answer.json()).toEqual({ hello: 'inspector' });
  });
});
