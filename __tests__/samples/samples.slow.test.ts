import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestIssuer } from '../../src/testing/index.js';
import { freePort } from '../support/loopback-server.js';
import { endPrograms, ROOT, startNode } from '../support/program.js';

const issuer = createTestIssuer();
beforeAll(() => issuer.listen());
afterAll(async () => {
  await issuer.close();
  await endPrograms();
});

/** Starts a sample; resolves to the URL of its MCP server. */
async function start(file: string): Promise<URL> {
  const env = { PORT: `${await freePort()}`, ISSUER: issuer.issuer };
  const [, url = ''] = await startNode([`${ROOT}${file}`], { env }).says(/Listening on (\S+)/);
  return new URL(url);
}

const bearerFor = (url: URL): string =>
  `Bearer ${issuer.tokenFor(url.href, { sub: 'alice', clientId: 'inspector', scopes: ['profile'] })}`;

async function connect(url: URL): Promise<Client> {
  const client = new Client({ name: 'test', version: '1.0' });
  const requestInit = { headers: { authorization: bearerFor(url) } };
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }) as Parameters<Client['connect']>[0]);
  return client;
}

async function expectTwoAnswers(url: URL): Promise<void> {
  const refusal = await fetch(url, { method: 'POST' });
  expect([refusal.status, refusal.headers.get('www-authenticate'), await refusal.text()]).toEqual([
    401,
    `Bearer resource_metadata="${url.origin}/.well-known/oauth-protected-resource/mcp"`,
    '{"error":"unauthorized","error_description":"JWT token required"}',
  ]);
  const metadata = await fetch(new URL('/.well-known/oauth-protected-resource/mcp', url));
  expect(await metadata.json()).toMatchObject({
    resource: url.href,
    authorization_servers: [issuer.issuer],
  });
}

describe('samples/existing-mcp-server', () => {
  test('tells a caller who it is, and an anonymous one where to log in; /health needs no token', async () => {
    const url = await start('build/samples/existing-mcp-server/server.js');
    await expectTwoAnswers(url);
    const client = await connect(url);
    const { content } = await client.callTool({ name: 'whoami' });
    expect(content).toEqual([{ type: 'text', text: 'alice, with inspector, may profile' }]);
    await client.close();
    expect(await (await fetch(new URL('/health', url))).text()).toBe('ok');
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
    // The resource of the sample is on localhost.
    const otherUrl = url.href.replace('localhost', '127.0.0.1');
    const doctor = startNode([`${ROOT}build/samples/doctor.js`, otherUrl]);
    expect(await doctor.ended).toBe(1);
    expect(doctor.stdout, doctor.stderr).toMatch(/^fault: .*http:\/\/localhost:/m);
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
    const answer = await fetch(url, { method: 'POST', headers: { authorization: bearerFor(url) } });
    expect(await answer.json()).toEqual({ hello: 'inspector' });
  });
});
