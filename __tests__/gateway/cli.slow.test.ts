import { once } from 'node:events';
import { access, constants, readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { configText, route } from '../support/config-text.js';
import { AUTHENTICATION, type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { freePort } from '../support/loopback-server.js';
import { CLI, endPrograms, ROOT, startNode } from '../support/program.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
});
afterEach(endPrograms);
afterAll(() => folder.remove());

/** Without the admin address: other tests run at the same time. */
const cli = (...args: string[]) =>
  startNode([CLI, ...args, ...(args.includes('-f') && args[0] !== 'doctor' ? ['--admin', 'off'] : [])], {
    cwd: folder.path,
  });

async function refusalOf(...args: string[]): Promise<string> {
  const program = cli(...args);
  expect(await program.ended).toBe(1);
  expect(program.stdout).toBe('');
  expect(program.stderr).not.toMatch(/^\s+at /m);
  return program.stderr;
}

const protectedRoute = { policies: { mcpAuthentication: AUTHENTICATION } };
const onAnyPort = (parts: object = {}) => configText({ bind: { port: 0 }, route: protectedRoute, ...parts });

describe('express-mcp-auth', () => {
  // npx makes the file executable only when it first links a checkout, not after a new build.
  test('is executable after the build', async () => {
    await access(CLI, constants.X_OK);
  });

  test('--help shows every option, and --version the version', async () => {
    const help = cli('--help');
    expect(await help.ended).toBe(0);
    expect(help.stdout).toContain(
      'Usage: express-mcp-auth -f FILE [--host ADDRESS] [--dev-issuer] [--validate-only [--online]]',
    );
    const version = cli('--version');
    expect(await version.ended).toBe(0);
    expect(version.stdout.trim()).toBe(JSON.parse(await readFile(`${ROOT}package.json`, 'utf8')).version);
  });

  test('a start warns of a program that is not on the PATH', async () => {
    const policies = { apiKey: { mode: 'strict', keys: [{ keyHash: `sha256:${'0'.repeat(64)}` }] } };
    const targets = [{ name: 'a', stdio: { cmd: 'no-such-program' } }];
    await folder.write('program.yaml', JSON.stringify({ mcp: { port: 0, targets, policies } }));
    const program = cli('-f', 'program.yaml', '--host', '127.0.0.1');
    await program.says(/Listening on/);
    expect(program.stderr).toMatch(
      /^WARN express-mcp-auth: mcp\.targets\[0\]\.stdio\.cmd: the program "no-such-program" is not on the PATH/,
    );
  });

  test('--validate-only accepts a good file and listens nowhere', async () => {
    await folder.write('good.yaml', configText({ route: protectedRoute }));
    const program = cli('-f', 'good.yaml', '--validate-only');
    expect(await program.ended).toBe(0);
    expect([program.stdout, program.stderr]).toEqual(['good.yaml is valid\n', '']);
  });

  test.each([
    ['SIGINT', ['0.0.0.0', /^INFO express-mcp-auth: Listening on 0\.0\.0\.0:(\d+)\n/]],
    ['SIGTERM', ['127.0.0.1', /^INFO express-mcp-auth: Listening on 127\.0\.0\.1:(\d+)\n/]],
    ['SIGTERM', ['::1', /^INFO express-mcp-auth: Listening on \[::1\]:(\d+)\n/]],
  ] as const)('says where it listens, and ends with exit code 0 on %s', async (signal, [host, line]) => {
    await folder.write('any-port.yaml', onAnyPort());
    const program = cli('-f', 'any-port.yaml', ...(host === '0.0.0.0' ? [] : ['--host', host]));
    await program.says(line);
    expect(await program.stop(signal)).toBe(0);
    expect(program.stderr).toBe('');
  });

  test('says which addresses to add to a client, each once', async () => {
    const port = await freePort();
    const withResource = (resource: string) =>
      JSON.parse(
        configText({
          bind: { port },
          route: { policies: { mcpAuthentication: { ...AUTHENTICATION, resourceMetadata: { resource } } } },
        }),
      ).binds[0];
    const resources = [`http://localhost:${port}/mcp`, 'https://mcp.example.com/mcp', 'https://mcp.example.com/mcp'];
    const [first, ...others] = resources.map(withResource);
    const binds = [first, ...others.map((bind) => ({ ...bind, port: 0 }))];
    await folder.write('addresses.yaml', JSON.stringify({ binds }));
    const program = cli('-f', 'addresses.yaml', '--host', '127.0.0.1');
    const add = (address: string) => `INFO express-mcp-auth: Add ${address} to your MCP client\n`;
    await program.says(/example\.com\/mcp to your MCP client\n/);
    expect(await program.stop()).toBe(0);
    expect(program.stdout).toMatch(/^(?:INFO express-mcp-auth: Listening on 127\.0\.0\.1:\d+\n){3}/);
    expect(program.stdout.replace(/^.*(?:Listening|Programs get).*\n/gm, '')).toBe(
      resources.slice(0, 2).map(add).join(''),
    );
  });

  test('treats a Ctrl-C that npm repeats as the same one', async () => {
    await folder.write('any-port.yaml', onAnyPort());
    const program = cli('-f', 'any-port.yaml', '--host', '127.0.0.1');
    await program.says(/Listening/);
    process.kill(program.pid, 'SIGINT');
    expect(await program.stop('SIGINT')).toBe(0);
  });

  test('opens every port of the file', async () => {
    const { binds } = JSON.parse(onAnyPort());
    await folder.write('two.yaml', JSON.stringify({ binds: [...binds, ...binds] }));
    const program = cli('-f', 'two.yaml', '--host', '127.0.0.1');
    const [, first, second] = await program.says(/127\.0\.0\.1:(\d+)\n.*127\.0\.0\.1:(\d+)\n/);
    for (const port of [first, second]) expect((await fetch(`http://127.0.0.1:${port}/mcp`)).status).toBe(401);
    expect(await program.stop()).toBe(0);
  });
});

describe('express-mcp-auth refuses in one sentence, with exit code 1,', () => {
  test.each([
    ['nothing', [], '-f FILE is missing: express-mcp-auth init writes a first one. See express-mcp-auth --help.'],
    ...['port', 'ttl'].map((name): [string, string[], string] => [
      `--dev-issuer-${name} without --dev-issuer`,
      ['-f', 'config.yaml', `--dev-issuer-${name}`, '60'],
      `--dev-issuer-${name} needs --dev-issuer. See express-mcp-auth --help.`,
    ]),
    ['an unknown option', ['--port', '3000'], "Unknown option '--port'. See express-mcp-auth --help."],
    ['a stray argument', ['config.yaml'], "Unexpected argument 'config.yaml'. See express-mcp-auth --help."],
    ['an empty host', ['-f', 'a', '--host', ''], '--host is empty. See express-mcp-auth --help.'],
    ['a missing file', ['-f', 'none.yaml'], 'none.yaml: the file does not exist'],
    ['a folder', ['-f', '.'], '.: it cannot be read (EISDIR)'],
    ['a device', ['-f', '/dev/zero'], '/dev/zero: it cannot be read (not a regular file)'],
    [
      'a token on a device',
      ['doctor', 'http://localhost/mcp', '--token', '/dev/zero'],
      '--token: the file does not exist or cannot be read (not a regular file): give a FILE that contains the token, or - for standard input, not the token itself. See express-mcp-auth doctor --help.',
    ],
  ])('%s', async (_what, args, sentence) => {
    expect(await refusalOf(...args)).toBe(`express-mcp-auth: ${sentence}\n`);
  });

  test.each([
    ['text that is no YAML', 'binds: [', 'line 1, column 9 cannot be read as YAML: '],
    [
      'a policy that it does not support',
      onAnyPort({ route: { policies: { oidc: {} } } }),
      `${route}.policies.oidc is not supported: `,
    ],
  ])('%s, with and without --validate-only', async (_what, text, sentence) => {
    await folder.write('bad.yaml', text);
    const refusal = await refusalOf('-f', 'bad.yaml');
    expect(refusal).toContain(`express-mcp-auth: bad.yaml: ${sentence}`);
    expect(await refusalOf('-f', 'bad.yaml', '--validate-only')).toBe(refusal);
  });

  test('a file without an issuer, unless it starts with --dev-issuer', async () => {
    const { resourceMetadata } = AUTHENTICATION;
    await folder.write('dev.yaml', configText({ route: { policies: { mcpAuthentication: { resourceMetadata } } } }));
    const missing = `express-mcp-auth: dev.yaml: ${route}.policies.mcpAuthentication.issuer is missing: write the "iss" of the tokens you accept, or`;
    for (const further of [[], ['--validate-only']])
      expect(await refusalOf('-f', 'dev.yaml', ...further)).toBe(`${missing} start with --dev-issuer\n`);
    expect(await refusalOf('doctor', '-f', 'dev.yaml')).toBe(
      `${missing} if it runs with --dev-issuer, give the doctor its URL instead of -f\n`,
    );
    expect(await cli('-f', 'dev.yaml', '--dev-issuer', '--validate-only').ended).toBe(0);
  });

  test.each([
    ['an option that mcpAuth() does not know', { audience: 'x' }, '"audience" must be'],
    ['a mode that there is not', { mode: 'lax' }, '"mode" must be'],
    ['a key file that is not there', { jwks: { file: 'no-key' } }, '"jwks.file" must be'],
  ])('%s, with its place in the file', async (_what, members, complaint) => {
    const policies = { mcpAuthentication: { ...AUTHENTICATION, ...members } };
    await folder.write('bad.yaml', onAnyPort({ route: { policies } }));
    const place = `bad.yaml: ${route}.policies.mcpAuthentication`;
    expect(await refusalOf('-f', 'bad.yaml')).toMatch(`express-mcp-auth: ${place}: mcpAuth(): option ${complaint}`);
  });

  test.each([
    ['an origin that no browser sends', { allowOrigins: ['https://a.example/'] }, '"allowOrigins[0]" must be'],
    ['cookies for every web site', { allowOrigins: ['*'], allowCredentials: true }, '"allowCredentials" must be'],
  ])('%s, with its place in the file', async (_what, cors, complaint) => {
    await folder.write('bad.yaml', onAnyPort({ route: { policies: { cors } } }));
    const refusal = await refusalOf('-f', 'bad.yaml');
    expect(refusal).toMatch(`express-mcp-auth: bad.yaml: ${route}.policies.cors: mcpCors(): option ${complaint}`);
  });

  test('a port in use, and closes the ports it had opened', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const resourceMetadata = { resource: `http://localhost:${port}/mcp` };
    const policies = { mcpAuthentication: { ...AUTHENTICATION, resourceMetadata } };
    const { binds } = JSON.parse(configText({ bind: { port }, route: { policies } }));
    await folder.write('taken.yaml', JSON.stringify({ binds: [...JSON.parse(onAnyPort()).binds, ...binds] }));
    expect(await refusalOf('-f', 'taken.yaml', '--host', '127.0.0.1')).toBe(
      `express-mcp-auth: port ${port} on 127.0.0.1 is in use: stop the program that uses it, or change binds[1].port\n`,
    );
    other.close();
  });

  test('a host that is not an address of this machine', async () => {
    await folder.write('any-port.yaml', onAnyPort());
    expect(await refusalOf('-f', 'any-port.yaml', '--host', '192.0.2.1')).toBe(
      'express-mcp-auth: --host 192.0.2.1 is not an address of this machine\n',
    );
  });
});

describe('express-mcp-auth warns', () => {
  const advice = 'Require a token (mode: strict), or listen on this machine only (--host 127.0.0.1).';
  test.each([
    ['has no mcpAuthentication', {}, 'policies.mcpAuthentication is missing', ''],
    [
      'is optional',
      { policies: { mcpAuthentication: { ...AUTHENTICATION, mode: 'optional' } } },
      'policies.mcpAuthentication.mode is optional',
      '',
    ],
    [
      'is permissive',
      { policies: { mcpAuthentication: { ...AUTHENTICATION, mode: 'permissive' } } },
      'policies.mcpAuthentication.mode is permissive',
      `WARN express-mcp-auth: mcpAuth(): mode is "permissive", so requests pass without a token, and with one that is not valid: set ${route}.policies.mcpAuthentication.mode to "strict"\n`,
    ],
  ])('of a route that %s, where other machines reach it', async (_what, members, why, ofMode) => {
    await folder.write('open.yaml', onAnyPort({ route: members }));
    const program = cli('-f', 'open.yaml');
    await program.says(/Listening/);
    await program.stop();
    const warning = `WARN express-mcp-auth: ${route} lets anonymous callers in: ${why}, and 0.0.0.0 can be reached from other machines. ${advice}\n`;
    expect(program.stderr).toBe(ofMode + warning);
    const onLoopback = cli('-f', 'open.yaml', '--host', '127.0.0.1');
    await onLoopback.says(/Listening/);
    await onLoopback.stop();
    expect(onLoopback.stderr).toBe(ofMode);
  });
});
