import { expect, test } from 'vitest';
import { runDoctor } from '../../src/doctor/doctor.js';
import { createTextReport } from '../../src/doctor/report.js';
import { type Middleware, mcpCors } from '../../src/index.js';
import { configText, route } from '../support/config-text.js';
import { startFaultyServer } from '../support/faulty-server.js';
import { gatewayFolderForTests } from '../support/gateway-folder.js';
import { CLI, startNode, startTerminal } from '../support/program.js';

const folder = gatewayFolderForTests();

/** Runs the command; returns its output and exit code. */
async function doctor(...args: string[]) {
  const program = startNode([CLI, 'doctor', ...args]);
  const code = await program.ended;
  return { code, stdout: program.stdout, stderr: program.stderr };
}

test('prints one line a step, plain in a pipe, and exits with 0 if clients can log in', async () => {
  const { url } = await startFaultyServer({ cors: mcpCors({ methods: ['GET', 'POST'] }) });
  const { code, stdout } = await doctor(url);
  const lines = stdout.trimEnd().split('\n');
  expect(code).toBe(0);
  expect(lines[0]).toBe(url);
  expect(lines).toContain('✓ PKCE: S256');
  expect(lines).toContain(
    '! CORS preflight: does not allow DELETE. Clients in a browser cannot send these. Add them where CORS is answered: to methods of mcpCors(), whose defaults contain them, to another cors() before or after it, or for a server of the command to policies.cors.allowMethods.',
  );
  expect(lines.at(-1)).toMatch(/^\d+ ✓ {2}1 ! {2}0 ✗$/);
  expect(stdout).not.toContain('\u001b');
});

test('exits with 1 on a fault, and prints its findings as JSON', async () => {
  const { url } = await startFaultyServer({ metadata: () => ({ code_challenge_methods_supported: ['plain'] }) });
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
      fix: 'Make the authorization server announce S256; for Entra ID, which does not, set provider.',
    },
  ]);
});

test('looks at each server of a configuration file, and explains a token by its policy', async () => {
  const { url, issuer, signer } = await startFaultyServer();
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

const policies: [what: string, policy: object, claims: object, ...lines: string[]][] = [
  [
    'the claims that name audience and scopes',
    { audiences: ['client-1'], audienceClaim: 'client_id', scopesClaim: 'permissions' },
    { client_id: 'client-1', permissions: ['mcp:call'] },
    '✓ token client_id: client-1',
    '✓ token scope: mcp:call',
  ],
  [
    'another audience, with a slash more',
    { audiences: ['client-1'], audienceClaim: 'client_id' },
    { client_id: 'client-1/', scope: 'mcp:call' },
    '✗ token client_id: "client-1/", expected client-1.',
  ],
  ['the resource where it names no audience', {}, { aud: 'x', scope: 'mcp:call' }, '✗ token aud: "x", expected http'],
];

test.each(policies)('checks a token by its policy: %s', async (_what, policy, claims, ...lines) => {
  const { url, issuer, signer } = await startFaultyServer({ policy: () => policy as Record<string, unknown> });
  const token = await folder.write('token', signer.sign({ iss: issuer, exp: 2e9, ...claims }));
  const mcpAuthentication = { issuer, resourceMetadata: { resource: url }, ...policy };
  const file = await folder.write('policy.yaml', configText({ route: { policies: { mcpAuthentication } } }));
  const { code, stdout } = await doctor('-f', file, '--token', token);
  for (const line of lines) expect(stdout).toContain(`\n${line}`);
  expect(code).toBe(lines.some((line) => line.startsWith('✗')) ? 1 : 0);
});

test.each<[what: string, iss: (issuer: string) => string, faults: number]>([
  ['the options of its issuer', (issuer) => issuer, 0],
  ['the options of any issuer, if its own is unknown', (issuer) => `${issuer}/`, 1],
])('checks a token by %s', async (_what, issOf, faults) => {
  const { url, issuer, signer } = await startFaultyServer();
  const claims = { iss: issOf(issuer), exp: 2e9, cid: 'one', roles: ['mcp:call'] };
  const token = await folder.write('token', signer.sign(claims));
  const issuers = [
    { issuer: 'https://other.example', audiences: ['two'] },
    { issuer, audiences: ['one'], audienceClaim: 'cid', scopesClaim: 'roles' },
  ];
  const mcpAuthentication = { issuers, resourceMetadata: { resource: url } };
  const file = await folder.write('issuers.yaml', configText({ route: { policies: { mcpAuthentication } } }));
  const { stdout } = await doctor('-f', file, '--token', token);
  expect(stdout).toContain('\n✓ token cid: one\n');
  expect(stdout).toContain('\n✓ token scope: mcp:call\n');
  expect(stdout.match(/^✗ token iss: /gm) ?? []).toHaveLength(faults);
});

test('takes tolerance, required claims and keys from the file', async () => {
  const policy = { clockToleranceSeconds: 300, jwtValidationOptions: { requiredClaims: [] } };
  const { url, issuer, signer } = await startFaultyServer({ policy: () => policy });
  await folder.write('keys.json', JSON.stringify({ keys: [signer.jwk] }));
  const claims = { iss: issuer, aud: url, nbf: Date.now() / 1000 + 200, scope: 'mcp:call' };
  const token = await folder.write('token', signer.sign(claims));
  const mcpAuthentication = { issuer, jwks: { file: 'keys.json' }, resourceMetadata: { resource: url }, ...policy };
  const file = await folder.write('whole.yaml', configText({ route: { policies: { mcpAuthentication } } }));
  const { code, stdout } = await doctor('-f', file, '--token', token);
  expect(stdout).toContain(`\n✓ token signature: ES256, key "${signer.kid}"\n`);
  expect(stdout).toContain('\n✓ token time: does not expire\n');
  expect(stdout).not.toMatch(/^✗/m);
  expect(code).toBe(0);
});

test('sends no token if the file has several resources', async () => {
  const seen: string[] = [];
  const before: Middleware = (req, _res, next) => {
    seen.push(String(req.headers.authorization));
    next();
  };
  const urls = [(await startFaultyServer({ before })).url, (await startFaultyServer({ before })).url];
  const token = await folder.write('token', 'a.b.c');
  const file = await folder.write('two.yaml', withResources(urls));
  const { code, stderr } = await doctor('-f', file, '--token', token);
  expect(stderr).toContain(
    `--token is for one server, but the file has 2 (${urls.join(', ')}): give the URL of the token's server instead of -f.`,
  );
  expect([code, seen]).toEqual([1, []]);
});

test('sends a token to a resource of two routes', async () => {
  const { url } = await startFaultyServer();
  const token = await folder.write('token', 'a.b.c');
  const file = await folder.write('same.yaml', withResources([url, url]));
  expect((await doctor('-f', file, '--token', token)).stdout).toContain('✗ token: refused with 401');
});

function withResources(resources: readonly string[]): string {
  const binds = resources.map((resource, i) => {
    const mcpAuthentication = { issuer: 'https://issuer.example', resourceMetadata: { resource } };
    return { ...JSON.parse(configText({ route: { policies: { mcpAuthentication } } })).binds[0], port: 3000 + i };
  });
  return JSON.stringify({ binds });
}

test.each([
  [{ resourceMetadata: { resource: 5 } }, '"resourceMetadata.resource" must be a non-empty string, but got 5.'],
  [{ issuer: undefined, audiences: ['x'] }, '"issuer" must be a non-empty string, but got undefined.'],
  [{ issuer: undefined, issuers: [null] }, '"issuers[0]" must be an object, but got null.'],
  [
    { jwks: { file: '/missing' } },
    '"jwks.file" must be a readable file (ENOENT; looked for /missing), but got "/missing".',
  ],
])('refuses a file with %j as the gateway does, and says where it stands', async (members, message) => {
  const mcpAuthentication = { issuer: 'https://a.example', resourceMetadata: { resource: 'http://a' }, ...members };
  const file = await folder.write('types.yaml', configText({ route: { policies: { mcpAuthentication } } }));
  const { code, stderr } = await doctor('-f', file);
  expect(stderr).toContain(
    `express-mcp-auth: ${file}: ${route}.policies.mcpAuthentication: mcpAuth(): option ${message}`,
  );
  expect(code).toBe(1);
});

test('does not report its own failure as a fault of the server', async () => {
  const { url } = await startFaultyServer();
  const screen = { isTerminal: false, hasColours: false, write: () => undefined };
  const target = { url, token: 5 as unknown as string };
  await expect(runDoctor({ targets: [target], json: false }, screen)).rejects.toThrow(TypeError);
});

test('warns of a request without an answer, and goes on', async () => {
  const { url } = await startFaultyServer({
    before: (req, _res, next) => (req.method === 'OPTIONS' ? void req.socket.destroy() : next()),
  });
  const { code, stdout } = await doctor(url);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^! CORS preflight: OPTIONS: .+ Clients in a browser cannot send a request\./m);
  expect(stdout).toMatch(/^✓ closing slash: /m);
});

test.each([
  [[], 'give either a URL or -f FILE. See express-mcp-auth doctor --help.'],
  [['http://a.example', '-f', 'x'], 'give either a URL or -f FILE.'],
  [['http://a.example', 'http://b.example'], 'give either a URL or -f FILE.'],
  [['ftp://a.example'], '"ftp://a.example" is not an http(s) URL.'],
  [['--jsn', 'http://a.example'], "Unknown option '--jsn'"],
  [['-f', 'missing.yaml'], 'missing.yaml: the file does not exist'],
])('refuses %j', async (args, message) => {
  const { code, stderr } = await doctor(...args);
  expect(stderr).toContain(`express-mcp-auth: ${message}`);
  expect(code).toBe(1);
});

test('refuses a file without a resource', async () => {
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
  const { url } = await startFaultyServer();
  const terminal = startTerminal(`${process.execPath} ${CLI} doctor ${url}`, env);
  expect(await terminal.ended).toBe(0);
  expect(terminal.stdout).toContain('\r\u001b[2K  after PKCE …');
  expect(terminal.stdout.includes('\u001b[32m✓\u001b[39m PKCE: S256')).toBe(hasColours);
  expect(terminal.stdout.includes('\r\u001b[2K✓ PKCE: S256')).toBe(!hasColours);
});

test('text of a server can neither move the cursor nor add a line', () => {
  let text = '';
  const report = createTextReport({ isTerminal: false, hasColours: false, write: (more) => (text += more) });
  report.begin('http://a.example/\u001b[2J');
  report.add({ step: 'resource', status: 'ok', seen: 'one\r\n✓ two\u202e'.repeat(200) });
  expect(text.split('\n')).toHaveLength(3);
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
  expect(text.length).toBeLessThan(700);
});
