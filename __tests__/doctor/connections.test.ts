import { createServer as createTlsServer } from 'node:https';
import { createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { diagnose } from '../../src/doctor/doctor.js';
import { createProbe } from '../../src/doctor/probe.js';
import { SERVER } from '../support/certificates.js';
import { lineOf } from '../support/faulty-server.js';
import { listen, originOf, serve, stop, unreachableUrl } from '../support/loopback-server.js';

const HTTP = 'Check the log of the server or of the proxy in front of it, and whether the address needs http or https.';

/** Opens a TCP port that does this to each connection. */
async function listenTo(onConnection: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => onConnection(socket.resume().on('error', () => undefined)));
  await listen(server as never);
  onTestFinished(() => void server.close());
  return originOf(server as never);
}

async function listenWithTls(): Promise<string> {
  const server = createTlsServer(SERVER, (_req, res) => void res.end());
  await listen(server);
  onTestFinished(() => stop(server));
  return originOf(server as never).replace('http:', 'https:');
}

test.each<[what: string, start: () => Promise<string>, line: string | RegExp]>([
  [
    'nothing',
    unreachableUrl,
    'the connection is refused (ECONNREFUSED). No client gets an answer. Start the server, or correct the address.',
  ],
  [
    'a reset',
    () => listenTo((socket) => void socket.resetAndDestroy()),
    `the connection was closed without an answer (ECONNRESET). No client gets an answer. ${HTTP}`,
  ],
  [
    'a hang-up',
    () => listenTo((socket) => void socket.end()),
    `the connection was closed without an answer (ECONNRESET). No client gets an answer. ${HTTP}`,
  ],
  [
    'silence',
    () => listenTo(() => undefined),
    'no answer within 0.3 seconds. No client gets an answer. Check whether the server hangs, or a firewall drops the request.',
  ],
  [
    'a broken answer',
    () => listenTo((socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx')),
    `the answer broke off (ECONNRESET). No client gets an answer. ${HTTP}`,
  ],
  [
    'another protocol',
    () => listenTo((socket) => void socket.end('SSH-2.0-OpenSSH\r\n')),
    /^HPE_\w+\. No client gets an answer\. Find out what listens there: it does not speak HTTP\/1\.1\.$/,
  ],
  [
    'a self-signed certificate',
    listenWithTls,
    /^the certificate is self-signed \(DEPTH_ZERO_SELF_SIGNED_CERT\)\. No client gets an answer\. Use a certificate of an authority that clients trust, .* NODE_EXTRA_CA_CERTS\.$/,
  ],
  [
    'https where http is spoken',
    async () => (await serve((_req, res) => void res.end())).replace('http:', 'https:'),
    /^the server does not use TLS there \(\w+\)\. No client gets an answer\. Serve https there, or correct the address\.$/,
  ],
  [
    'http where https is spoken',
    async () => (await listenWithTls()).replace('https:', 'http:'),
    `the connection was closed without an answer (ECONNRESET). No client gets an answer. ${HTTP}`,
  ],
  [
    'an unknown name',
    async () => 'http://server.invalid',
    /^the host name (?:is not known \(ENOTFOUND\)\. .* Correct the host name, or its entry in DNS|cannot be resolved at the moment \(EAI_AGAIN\)\. .*)\.$/,
  ],
])('explains %s', async (what, start, line) => {
  const url = `${(await start()).replace(/\/$/, '')}/mcp`;
  const timeoutMs = what === 'silence' ? 300 : 15_000;
  const probe = createProbe(url, { bounds: { timeoutMs, maxBytes: 1_000 } });
  const findings: string[] = [];
  for await (const finding of diagnose({ url }, probe)) findings.push(lineOf(finding));
  expect(findings).toHaveLength(1);
  const said = findings[0]?.replace('✗ answer without a token: ', '');
  if (typeof line === 'string') expect(said).toBe(line);
  else expect(said).toMatch(line);
});
