import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect as connectTcp } from 'node:net';
import type { TLSSocket } from 'node:tls';
import connect from 'connect';
import express from 'express';
import express4 from 'express4';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mcpHttpBackend } from '../../src/index.js';
import { CLIENT, SERVER } from '../support/certificates.js';
import { serveRemote } from '../support/http-backend.js';
import { listen, originOf, serve, stop } from '../support/loopback-server.js';
import { reasonOf } from '../support/mcp-answers.js';
import { call, initialize, JSON_HEADERS, post } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';

const BODY = JSON.stringify(call(1, 'ünïcödé'));

describe.each([
  ['Express 5', () => express()],
  ['Express 4', () => express4()],
  ['Connect', () => connect()],
] as const)('in %s', (_name, create) => {
  test('a backend at a path serves what comes to it', async () => {
    const target = await startRecordingTarget();
    const backend = mcpHttpBackend({ url: target.url });
    onTestFinished(() => backend.close());
    const origin = await serve((create() as express.Express).use('/mcp', backend) as never);
    const response = await post(`${origin}/mcp`, BODY);
    expect(await response.json()).toMatchObject({ result: { params: { name: 'ünïcödé' } } });
    expect(target.arrived[0]).toMatchObject({ url: '/mcp', body: BODY });
  });

  test('and so does one on bare node:http', async () => {
    const target = await startRecordingTarget();
    const backend = mcpHttpBackend({ url: target.url });
    onTestFinished(() => backend.close());
    const server = createServer((req, res) => backend(req, res, () => res.writeHead(500).end()));
    await listen(server);
    onTestFinished(() => stop(server));
    expect((await post(originOf(server), BODY)).status).toBe(200);
  });
});

describe('a body that was read before', () => {
  test.each<[string, express.RequestHandler, string]>([
    ['express.json()', express.json(), BODY],
    ['express.text()', express.text({ type: 'application/json' }), BODY],
    ['express.raw()', express.raw({ type: 'application/json' }), BODY],
  ])('by %s goes on', async (_name, parser, expected) => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url, {}, { before: [parser] });
    expect((await post(remote.url, BODY, remote.bearer('ada'))).status).toBe(200);
    expect(target.arrived[0]?.body).toBe(expected);
    expect(target.arrived[0]?.headers['content-length']).toBe(String(Buffer.byteLength(BODY)));
  });

  test('and unpacked goes on unpacked', async () => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url, {}, { before: [express.json()] });
    const { gzipSync } = await import('node:zlib');
    const headers = { ...JSON_HEADERS, ...remote.bearer('ada'), 'content-encoding': 'gzip' };
    expect((await fetch(remote.url, { method: 'POST', headers, body: gzipSync(BODY) })).status).toBe(200);
    expect(target.arrived[0]?.body).toBe(BODY);
    expect(target.arrived[0]?.headers).not.toHaveProperty('content-encoding');
  });

  test('as another type is refused with 415: it would become JSON', async () => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url, {}, { before: [express.text()] });
    const headers = { ...remote.bearer('ada'), 'content-type': 'text/plain' };
    expect((await post(remote.url, BODY, headers)).status).toBe(415);
    expect(target.arrived).toEqual([]);
  });

  test('and thrown away is the application’s mistake: 500, and a line', async () => {
    const target = await startRecordingTarget();
    const swallow: express.RequestHandler = (req, _res, next) => void req.resume().on('end', () => next());
    const remote = await serveRemote(target.url, {}, { before: [swallow] });
    const response = await post(remote.url, BODY, remote.bearer('ada'));
    expect([response.status, await reasonOf(response)]).toEqual([500, 'body_already_read']);
    expect(remote.lines.at(-1)).toContain('error mcpHttpBackend(): An earlier middleware');
  });
});

describe('the guard', () => {
  test.each<[string, Record<string, string>, number, string]>([
    ['a foreign Host on a loopback listener', { host: 'evil.example' }, 403, 'foreign_host'],
    ['a foreign Origin', { origin: 'https://evil.example' }, 403, 'foreign_origin'],
    ['Origin: null', { origin: 'null' }, 403, 'foreign_origin'],
  ])('refuses %s', async (_name, headers, status, reason) => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url);
    const { hostname, port } = new URL(remote.url);
    const answer = await new Promise<string>((resolve) => {
      const lines = Object.entries({ host: `${hostname}:${port}`, ...remote.bearer('ada'), ...headers });
      const socket = connectTcp(Number(port), hostname);
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('close', () => resolve(text));
      const head = lines.map(([name, value]) => `${name}: ${value}`).join('\r\n');
      socket.write(`GET /mcp HTTP/1.1\r\n${head}\r\nConnection: close\r\n\r\n`);
    });
    expect(answer).toContain(`HTTP/1.1 ${status}`);
    expect(answer).toContain(`"reason":"${reason}"`);
    expect(answer).toContain('of mcpHttpBackend()');
    expect(target.arrived).toEqual([]);
    expect(remote.lines.at(-1)).toContain('warn mcpHttpBackend(): refused a request with');
  });

  test.each(['PUT', 'PATCH', 'OPTIONS', 'HEAD', 'QUERY'])('refuses %s with 405', async (method) => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url);
    const answer = await fetch(remote.url, { method, headers: remote.bearer('ada') });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, POST, DELETE']);
    expect(target.arrived).toEqual([]);
  });
});

describe('over TLS', () => {
  test('the certificate of a private authority is accepted, and the client certificate sent', async () => {
    const subjects: string[] = [];
    const server = createTlsServer({ ...SERVER, requestCert: true, ca: CLIENT.cert }, (req, res) => {
      const socket = req.socket as TLSSocket;
      subjects.push(`${socket.authorized} ${socket.getPeerCertificate().subject?.CN}`);
      res.setHeader('content-type', 'application/json').end('{}');
    });
    await listen(server);
    onTestFinished(() => stop(server));
    const url = originOf(server as never).replace('http:', 'https:');
    const remote = await serveRemote(url, { ca: SERVER.cert, ...CLIENT });
    expect((await post(remote.url, initialize(), remote.bearer('ada'))).status).toBe(200);
    expect(subjects).toEqual(['true a']);
  });
});

test('what follows the mount, and its query, are not the target’s', async () => {
  const target = await startRecordingTarget();
  const remote = await serveRemote(`${target.url}?key=secret`);
  await post(`${remote.url}/../admin?a=b`, BODY, remote.bearer('ada'));
  await post(`${remote.url}/admin?key=other`, BODY, remote.bearer('ada'));
  expect(target.arrived.map(({ url }) => url)).toEqual(Array(target.arrived.length).fill('/mcp?key=secret'));
  expect(target.arrived.length).toBeGreaterThan(0);
});
