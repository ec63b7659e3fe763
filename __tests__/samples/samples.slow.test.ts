import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createTestIssuer } from '../../src/testing/index.js';
import { makeGatewayFolder } from '../support/gateway-folder.js';
import { CLI, endPrograms, ROOT, startNode } from '../support/program.js';
import { startEverything } from '../support/remote-servers.js';
import { samplesOf } from '../support/started-samples.js';

const issuer = createTestIssuer();
beforeAll(() => issuer.listen());
afterAll(async () => {
  await issuer.close();
  await endPrograms();
});

const { start, bearerFor, connect, expectTwoAnswers } = samplesOf(issuer);

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

describe('samples/remote-backend.ts', () => {
  test('puts a remote server behind tokens, and shows the keys of the tokens that it sends there', async () => {
    const url = await start('build/samples/remote-backend.js', { MCP_SERVER: (await startEverything()).url });
    await expectTwoAnswers(url);
    const client = await connect(url);
    const { content } = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
    expect(content).toEqual([{ type: 'text', text: 'Echo: hello' }]);
    await client.close();
    const keys = await fetch(new URL('/.well-known/express-mcp-auth/caller-jwks.json', url));
    expect(await keys.json()).toEqual({ keys: [expect.objectContaining({ alg: 'ES256', use: 'sig' })] });
  });
});

describe('samples/several-backend.ts', () => {
  test('puts two programs and a remote server behind one address', { timeout: 60_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'files-'));
    await writeFile(join(folder, 'a.txt'), 'hello');
    const url = await start('build/samples/several-backend.js', {
      FOLDER: folder,
      MCP_SERVER: (await startEverything()).url,
    });
    await expectTwoAnswers(url);
    const client = await connect(url);
    const call = async (name: string, args: Record<string, unknown>) =>
      (await client.callTool({ name, arguments: args })).content;
    expect(await call('files_read_text_file', { path: join(folder, 'a.txt') })).toEqual([
      { type: 'text', text: 'hello' },
    ]);
    expect(await call('search_echo', { message: 'hello' })).toEqual([{ type: 'text', text: 'Echo: hello' }]);
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain('memory_read_graph');
    await client.close();
  });
});

describe('samples/remote/config.yaml', () => {
  test('is a file that the command accepts', async () => {
    const folder = await makeGatewayFolder();
    onTestFinished(() => folder.remove());
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await folder.write('caller-key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    const file = await folder.write('config.yaml', await readFile(`${ROOT}samples/remote/config.yaml`, 'utf8'));
    const command = startNode([CLI, '-f', file, '--validate-only']);
    expect(await command.ended, command.stderr).toBe(0);
    expect(command.stdout).toContain(`${file} is valid`);
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

describe('samples/limits.ts', () => {
  test('lets a user make 60 calls at once, and says how long to wait', async () => {
    const url = await start('build/samples/limits.js');
    await expectTwoAnswers(url);
    const headers = { authorization: bearerFor(url) };
    const answers = await Promise.all(Array.from({ length: 100 }, () => fetch(url, { headers })));
    const refused = answers.filter(({ status }) => status === 429);
    // A token comes back each second.
    expect(refused.length).toBeGreaterThan(20);
    expect(refused.length).toBeLessThanOrEqual(40);
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
  });
});

describe('samples/tenants.ts', () => {
  test('accepts a token at its own tenant alone, and says that it is ready', async () => {
    const { origin } = await start('build/samples/tenants.js');
    const authorization = `Bearer ${issuer.tokenFor(`${origin}/acme/mcp`)}`;
    const answer = await fetch(`${origin}/acme/mcp`, { method: 'POST', headers: { authorization } });
    expect(await answer.json()).toEqual({ tenant: 'acme' });
    expect((await fetch(`${origin}/globex/mcp`, { method: 'POST', headers: { authorization } })).status).toBe(401);
    expect((await fetch(`${origin}/health`)).status).toBe(200);
  });
});

describe('samples/rules.ts', () => {
  test('allows calls by their arguments, and shows what may be called', async () => {
    const url = await start('build/samples/rules.js');
    await expectTwoAnswers(url);
    const client = await connect(url);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['echo', 'get-sum']);
    const call = (name: string, args: Record<string, unknown>) => client.callTool({ name, arguments: args });
    expect((await call('echo', { message: 'x' })).content).toEqual([{ type: 'text', text: 'Echo: x' }]);
    await expect(call('echo', { message: 'my password' })).rejects.toThrow('Unknown tool: echo');
    expect((await call('get-sum', { a: 1, b: 2 })).content).toMatchObject([{ type: 'text' }]);
    await expect(call('get-sum', { a: 100, b: 2 })).rejects.toThrow('Unknown tool: get-sum');
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
