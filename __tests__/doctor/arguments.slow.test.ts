import { createServer } from 'node:https';
import { expect, onTestFinished, test } from 'vitest';
import { EXPIRED_SERVER, OTHER_SERVER, SERVER } from '../support/certificates.js';
import { startFaultyServer } from '../support/faulty-server.js';
import { gatewayFolderForTests } from '../support/gateway-folder.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { CLI, startNode, startProgram } from '../support/program.js';

const folder = gatewayFolderForTests();

const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg';

test.each([
  ['the name of a file', ['http://127.0.0.1:1/mcp', '--token', TOKEN]],
  ['the address', [TOKEN]],
  ['a second address', ['http://127.0.0.1:1/mcp', TOKEN]],
  ['an option', ['http://127.0.0.1:1/mcp', `--${TOKEN}`]],
  ['the name of an option', ['http://127.0.0.1:1/mcp', `--token${TOKEN}`]],
])('a token in the place of %s is not repeated', async (_what, args) => {
  const program = startNode([CLI, 'doctor', ...args]);
  expect(await program.ended).toBe(1);
  for (const part of TOKEN.split('.')) expect(program.stdout + program.stderr).not.toContain(part);
});

const NOT_SENT = 'the URL has a user name or a password, which MCP clients do not send: give it without them.';

test.each([
  ['https://user:pass-phrase@mcp.example/mcp', NOT_SENT],
  ['https://pass-phrase@mcp.example/mcp', NOT_SENT],
  ['https://:pass-phrase@mcp.example/mcp', NOT_SENT],
  ['https//user:pass-phrase@mcp.example/mcp', 'the address is not an http(s) URL.'],
])('refuses %s, and does not repeat the password', async (url, message) => {
  const program = startNode([CLI, 'doctor', url, '--json']);
  expect(await program.ended).toBe(1);
  expect(program.stderr).toContain(`express-mcp-auth: ${message}`);
  expect(program.stdout + program.stderr).not.toContain('pass-phrase');
});

test('says that --token names a file', async () => {
  const program = startNode([CLI, 'doctor', 'http://127.0.0.1:1/mcp', '--token', 'missing']);
  expect(await program.ended).toBe(1);
  expect(program.stderr).toBe(
    'express-mcp-auth: --token: the file does not exist or cannot be read (ENOENT): give a FILE that contains the token, or - for standard input, not the token itself. See express-mcp-auth doctor --help.\n',
  );
});

test('reads a token from standard input', async () => {
  const { url, issuer, signer } = await startFaultyServer();
  const token = signer.sign({ iss: issuer, aud: url, exp: 2e9, scope: 'mcp:call' });
  const file = await folder.write('piped', token);
  const program = startProgram('sh', [
    '-c',
    'cat "$1" | "$2" "$3" doctor "$4" --token -',
    'sh',
    file,
    process.execPath,
    CLI,
    url,
  ]);
  expect(await program.ended).toBe(0);
  expect(program.stdout).toContain('\n✓ token: accepted (200)\n');
});

test.each([
  ['is good', SERVER, '✗ answer without a token: 404, not 401. '],
  [
    'has expired',
    EXPIRED_SERVER,
    '✗ answer without a token: the certificate has expired (CERT_HAS_EXPIRED). No client gets an answer. Renew it, or correct the clock of this machine.\n',
  ],
  [
    'is for another host',
    OTHER_SERVER,
    '✗ answer without a token: the certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID). No client gets an answer. Get one for this host, or correct the address.\n',
  ],
])('a server whose certificate is trusted, and %s', async (_what, certificate, line) => {
  const server = createServer(certificate, (_req, res) => void res.writeHead(404).end());
  await listen(server);
  onTestFinished(() => stop(server));
  const authority = await folder.write('authority.pem', certificate.cert);
  const url = `${originOf(server as never).replace('http:', 'https:')}/mcp`;
  const program = startNode([CLI, 'doctor', url], { env: { NODE_EXTRA_CA_CERTS: authority } });
  expect(await program.ended).toBe(1);
  expect(program.stdout).toContain(line);
});
