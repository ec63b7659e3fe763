import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { adminPageAt } from '../support/admin-app.js';
import { startDevGateway } from '../support/dev-gateway.js';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { endPrograms } from '../support/program.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
});
afterEach(endPrograms);
afterAll(() => folder.remove());

/** Starts the command with the development issuer and the admin page on a free port. */
async function startWithPage(args: readonly string[] = [], headers: Record<string, string> = {}) {
  const started = await startDevGateway(folder, {}, { args: ['--admin', '127.0.0.1:0', ...args] });
  const [, address = ''] = await started.program.says(
    /^INFO express-mcp-auth: Admin UI available at (http:\/\/localhost:\d+\/ui\/)$/m,
  );
  return { ...started, ...adminPageAt(address.replace('localhost', '127.0.0.1'), headers) };
}

test('the page calls a tool with a token of the development issuer, and nothing of it is in the log', async () => {
  const { get, post, events, program } = await startWithPage(['--log-level', 'debug']);
  const { routes, can, config, version } = (await get('api/state')).body;
  const [{ id: route }] = routes;
  expect(can).toEqual({ revoke: true, endSessions: true, callTools: true, doctor: true, developmentToken: true });
  expect(version).toMatch(/^\d+\.\d+\.\d+/);
  expect(config).toContain('requiredScopes:');
  const stream = await events();
  const text = 'a secret argument';
  const called = await post('api/tools/call', {
    route,
    developmentToken: true,
    name: 'echo',
    arguments: { message: text },
  });
  expect(called.body).toEqual({ result: { content: [{ type: 'text', text: `Echo: ${text}` }] } });
  expect(await stream.next('call', ({ method }) => method === 'tools/call')).toMatchObject({
    user: 'developer',
    client: 'admin-page',
    name: 'echo',
    outcome: 'answered',
  });
  const { findings } = (await post('api/doctor', { route })).body;
  expect(findings.filter(({ level }: { level: string }) => level === 'problem')).toEqual([]);
  expect(program.stdout + program.stderr).not.toMatch(/a secret argument|eyJ/);
  expect(await program.stop('SIGINT')).toBe(0);
});

test('--admin-password-file protects the page', async () => {
  const password = 'correct horse battery';
  await writeFile(join(folder.path, 'password'), `${password}\n`);
  const headers = { authorization: `Basic ${Buffer.from(`me:${password}`).toString('base64')}` };
  const { get, program } = await startWithPage(['--admin-password-file', join(folder.path, 'password')], headers);
  expect((await get('')).status).toBe(200);
  expect((await get('', { authorization: '' })).status).toBe(401);
  expect(program.stdout + program.stderr).not.toContain(password);
});
