import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTextReport } from '../../src/doctor/report.js';
import { mcpCors } from '../../src/index.js';
import { configText } from '../support/config-text.js';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { CLI, endPrograms, startNode, startTerminal } from '../support/program.js';
import { openClinic } from './clinic.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
});
afterAll(async () => {
  await endPrograms();
  await folder.remove();
});

/** Runs the command; its output, and the code it ends with. */
async function doctor(...args: string[]) {
  const program = startNode([CLI, 'doctor', ...args]);
  const code = await program.ended;
  return { code, stdout: program.stdout, stderr: program.stderr };
}

test('prints one line a step, plain in a pipe, and ends with 0 where clients can log in', async () => {
  const { url } = await openClinic({ cors: mcpCors({ methods: ['GET', 'POST'] }) });
  const { code, stdout } = await doctor(url);
  const lines = stdout.trimEnd().split('\n');
  expect(code).toBe(0);
  expect(lines[0]).toBe(url);
  expect(lines).toContain('✓ PKCE: S256');
  expect(lines).toContain(
    '! CORS preflight: does not allow DELETE. Clients in a browser cannot send these. Add them to mcpCors(), whose defaults have them, or to policies.cors.',
  );
  expect(lines.at(-1)).toMatch(/^\d+ ✓ {2}1 ! {2}0 ✗$/);
  expect(stdout).not.toContain('\u001b');
});

test('ends with 1 on a fault, and says as JSON what it found', async () => {
  const { url } = await openClinic({ metadata: () => ({ code_challenge_methods_supported: ['plain'] }) });
  const { code, stdout } = await doctor(url, '--json');
  expect(code).toBe(1);
  const { servers } = JSON.parse(stdout);
  expect(servers).toHaveLength(1);
  expect(servers[0].url).toBe(url);
  expect(servers[0].findings.filter(({ status }: { status: string }) => status === 'fault')).toEqual([
    {
      step: 'PKCE',
      status: 'fault',
      seen: 'code_challenge_methods_supported is ["plain"]',
      affects: 'Clients must refuse to log in without S256 (MCP specification, authorization).',
      fix: 'Have the authorization server announce S256; Entra ID does not: set provider.',
    },
  ]);
});

test('looks at each server of a configuration file, and explains a token by its policy', async () => {
  const { url, issuer, signer } = await openClinic();
  const token = await folder.write(
    'token',
    `Bearer ${signer.sign({ iss: issuer, aud: url, exp: 2e9, scope: 'mcp:call' })}\n`,
  );
  const mcpAuthentication = {
    issuer,
    audiences: ['mcp.example'],
    jwks: { file: 'pub-key' },
    resourceMetadata: { resource: url },
  };
  const file = await folder.write('config.yaml', configText({ route: { policies: { mcpAuthentication } } }));
  const { code, stdout } = await doctor('-f', file, '--token', token);
  expect(stdout).toContain(`\n✓ token: accepted (200)\n`);
  expect(stdout).toContain(`\n✗ token aud: "${url}", expected mcp.example. `);
  expect(code).toBe(1);
});

test('a server that stops half-way is a fault like any other', async () => {
  const { url } = await openClinic({
    before: (req, _res, next) => (req.method === 'OPTIONS' ? void req.socket.destroy() : next()),
  });
  const { code, stdout } = await doctor(url);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^✗ walk: .+ The server stopped answering half-way\./m);
});

test.each([
  [[], 'name either a URL or -f FILE. See express-mcp-auth doctor --help.'],
  [['http://a.example', '-f', 'x'], 'name either a URL or -f FILE.'],
  [['http://a.example', 'http://b.example'], 'name either a URL or -f FILE.'],
  [['ftp://a.example'], '"ftp://a.example" is not the http(s) address of a server.'],
  [['--jsn', 'http://a.example'], "Unknown option '--jsn'"],
  [['http://a.example', '--token', 'missing'], 'missing: it cannot be read (ENOENT)'],
  [['-f', 'missing.yaml'], 'missing.yaml: it cannot be read (ENOENT)'],
])('refuses %j', async (args, message) => {
  const { code, stderr } = await doctor(...args);
  expect(stderr).toContain(`express-mcp-auth: ${message}`);
  expect(code).toBe(1);
});

test('refuses a file that says of no server where it is', async () => {
  const file = await folder.write('no-resource.yaml', configText());
  expect((await doctor('-f', file)).stderr).toContain('no route has mcpAuthentication.resourceMetadata.resource');
});

test('shows its help', async () => {
  const { code, stdout } = await doctor('--help');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Usage: express-mcp-auth doctor URL/);
});

test.each([
  ['colours', { NO_COLOR: '' }, true],
  ['none with NO_COLOR', { NO_COLOR: '1' }, false],
])('a terminal gets progress, and %s', async (_what, env, hasColours) => {
  const { url } = await openClinic();
  const terminal = startTerminal(`${process.execPath} ${CLI} doctor ${url}`, env);
  expect(await terminal.ended).toBe(0);
  expect(terminal.stdout).toContain('\r\u001b[2K  after PKCE …');
  expect(terminal.stdout.includes('\u001b[32m✓\u001b[39m PKCE: S256')).toBe(hasColours);
  expect(terminal.stdout.includes('\r\u001b[2K✓ PKCE: S256')).toBe(!hasColours);
});

test('what a server sent cannot move the cursor, nor make two lines of one', () => {
  let text = '';
  const report = createTextReport({ isTerminal: false, hasColours: false, write: (more) => (text += more) });
  report.begin('http://a.example/\u001b[2J');
  report.add({ step: 'resource', status: 'ok', seen: 'one\r\n✓ two\u202e'.repeat(200) });
  expect(text.split('\n')).toHaveLength(3);
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
  expect(text.length).toBeLessThan(700);
});
