import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { startKeyServer } from '../support/key-server.js';
import { unreachableUrl } from '../support/loopback-server.js';
import { CLI, endPrograms, startNode } from '../support/program.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { createSigner } from '../support/signer.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
});
afterEach(endPrograms);
afterAll(() => folder.remove());

const validate = (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
  startNode([CLI, '-f', 'config.yaml', '--validate-only', ...args], { cwd: folder.path, env });

const fileWith = (host: string, url: string, more: object = {}) =>
  folder.write(
    'config.yaml',
    JSON.stringify({
      mcp: {
        targets: [{ mcp: { host } }],
        policies: {
          mcpAuthentication: {
            issuer: 'https://issuer.test',
            jwks: { url },
            resourceMetadata: { resource: 'http://localhost:3000/mcp' },
          },
          ...more,
        },
      },
    }),
  );

test('asks no other server, and with --online each that the file names', async () => {
  const keys = await startKeyServer([createSigner().jwk]);
  const target = await startRecordingTarget((_arrived, res) => res.writeHead(405).end());
  await fileWith(target.url, keys.url);
  const offline = validate();
  expect([await offline.ended, offline.stdout]).toEqual([0, 'config.yaml is valid\n']);
  expect([keys.requests, target.connections]).toEqual([0, 0]);
  const online = validate(['--online']);
  expect([await online.ended, online.stdout, online.stderr]).toEqual([0, 'config.yaml is valid\n', '']);
  expect([keys.requests, target.arrived.length]).toEqual([1, 1]);
});

test('refuses two settings with one address, as a start does', async () => {
  const file = { config: { statsAddr: '0.0.0.0:3999' }, mcp: { port: 3999, targets: [{ stdio: { cmd: 'node' } }] } };
  await folder.write('config.yaml', JSON.stringify(file));
  const start = startNode([CLI, '-f', 'config.yaml'], { cwd: folder.path });
  for (const program of [validate(), validate(['--online']), start]) {
    expect([await program.ended, program.stdout]).toEqual([1, '']);
    expect(program.stderr).toBe(
      'express-mcp-auth: config.yaml: mcp.port (0.0.0.0:3999) and config.statsAddr (0.0.0.0:3999) are one address: choose another port for one of them\n',
    );
  }
});

// 192.0.2.0/24 is for documentation (RFC 5737).
test.each<[string, object, readonly string[], string]>([
  ['--host', {}, ['--host', '192.0.2.1'], '--host 192.0.2.1'],
  ['readinessAddr', { readinessAddr: '192.0.2.1:15021' }, [], 'config.readinessAddr: 192.0.2.1:15021'],
  ['statsAddr', { statsAddr: '192.0.2.1:15020' }, [], 'config.statsAddr: 192.0.2.1:15020'],
  ['--admin', {}, ['--admin', '192.0.2.1:15000'], '--admin: 192.0.2.1:15000'],
])('with --online, refuses another machine as %s, as a start does', async (_what, config, args, address) => {
  await folder.write('config.yaml', JSON.stringify({ config, mcp: { targets: [{ stdio: { cmd: 'node' } }] } }));
  const [offline, online] = [validate(args), validate([...args, '--online'])];
  expect([await offline.ended, offline.stdout]).toEqual([0, 'config.yaml is valid\n']);
  expect([await online.ended, online.stdout, online.stderr]).toEqual([
    1,
    '',
    `express-mcp-auth: config.yaml: ${address} is not an address of this machine\n`,
  ]);
});

test('with --online, accepts a port that the running command uses', async () => {
  const target = await startRecordingTarget();
  const port = Number(new URL(target.url).port);
  await folder.write('config.yaml', JSON.stringify({ mcp: { port, targets: [{ stdio: { cmd: 'node' } }] } }));
  const online = validate(['--online', '--host', '127.0.0.1']);
  expect([await online.ended, online.stdout]).toEqual([0, 'config.yaml is valid\n']);
});

test('with --online, says all of the servers that cannot be used, with exit code 1', async () => {
  const url = await unreachableUrl();
  await fileWith('$NOTES', url);
  const program = validate(['--online'], { NOTES: url });
  expect([await program.ended, program.stdout]).toEqual([1, '']);
  const lines = program.stderr
    .replaceAll(new URL(url).host, 'HOST')
    .split('\n')
    .filter((line) => !line.includes('key set of'));
  expect(lines).toEqual([
    'ERROR express-mcp-auth: mcp.policies.mcpAuthentication: there are no keys for the tokens of https://issuer.test: the server of its keys cannot be reached, or publishes no key that this program can use',
    'ERROR express-mcp-auth: mcp.targets[0].mcp.host: the MCP server at $NOTES is unreachable, or answers with an error: connect ECONNREFUSED HOST',
    'express-mcp-auth: config.yaml: not all of the servers that it names can be used from here',
    '',
  ]);
});

test('warns of a secret that is not on this machine; with --online, refuses the file', async () => {
  await fileWith('https://notes.example/mcp', 'https://issuer.test/jwks', { backendAuth: { key: { file: 'secret' } } });
  const offline = validate();
  const sentence = `mcp.policies.backendAuth: ${folder.path}/secret: the file does not exist`;
  expect([await offline.ended, offline.stderr]).toEqual([
    0,
    `WARN express-mcp-auth: ${sentence}. The command would not start\n`,
  ]);
  const online = validate(['--online']);
  expect([await online.ended, online.stderr]).toEqual([1, `express-mcp-auth: config.yaml: ${sentence}\n`]);
});

test('finds a cmd that holds a whole command line', async () => {
  const stdio = { cmd: 'npx -y @modelcontextprotocol/server-everything' };
  await folder.write('config.yaml', JSON.stringify({ mcp: { targets: [{ name: 'a', stdio }] } }));
  const program = validate();
  expect([await program.ended, program.stderr]).toEqual([
    1,
    'express-mcp-auth: config.yaml: mcp.targets[0].stdio.cmd must be the program only: put each of its arguments into args\n',
  ]);
});

const apiKey = { mode: 'strict', keys: [{ keyHash: `sha256:${'0'.repeat(64)}` }] };

test.each([
  [
    'a program',
    { targets: [{ name: 'a', stdio: { cmd: '$VALUE' } }], policies: { apiKey } },
    'mcp.targets[0].stdio.cmd: the program "$VALUE" is not on the PATH: install it, or write its path',
  ],
  [
    'a remote target',
    { targets: [{ mcp: { host: 'http://$VALUE/mcp' } }], policies: { apiKey } },
    'mcp.targets[0].mcp.host: http://$VALUE is plain http on another machine: others can read and change messages on the way. Use https, or write dangerouslyAllowHttp: true beside host if the network is yours alone.',
  ],
  [
    'a backend without requests',
    { targets: [{ mcp: { host: 'https://$VALUE/mcp' } }], policies: { directResponse: { status: 200 } } },
    'mcp.targets has no effect, because mcp.policies.directResponse answers every request: remove one of them',
  ],
])('warns of %s, without the values of variables', async (_what, mcp, warning) => {
  await folder.write('config.yaml', JSON.stringify({ mcp }));
  const program = validate([], { VALUE: 'secret-name' });
  expect([await program.ended, program.stderr]).toEqual([0, `WARN express-mcp-auth: ${warning}\n`]);
});

test('--online needs --validate-only', async () => {
  const program = startNode([CLI, '-f', 'config.yaml', '--online'], { cwd: folder.path });
  expect([await program.ended, program.stderr]).toEqual([
    1,
    'express-mcp-auth: --online needs --validate-only. See express-mcp-auth --help.\n',
  ]);
});
