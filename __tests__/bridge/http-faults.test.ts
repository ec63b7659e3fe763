import type { RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { describe, expect, onTestFinished, test } from 'vitest';
import { OTHER_SERVER, SERVER } from '../support/certificates.js';
import { serveRemote } from '../support/http-backend.js';
import { listen, originOf, stop, unreachableUrl } from '../support/loopback-server.js';
import { call, initialize, open, post } from '../support/mcp-requests.js';
import { startRecordingTarget, startTarget } from '../support/recording-target.js';
import { until } from '../support/until.js';

/** The whole answer of a request that failed. */
async function failureOf(response: Response) {
  const { id, error } = (await response.json()) as { id: unknown; error: { code: number; data: { reason: string } } };
  const { headers } = response;
  return {
    status: response.status,
    type: headers.get('content-type'),
    challenge: headers.get('www-authenticate'),
    cookie: headers.get('set-cookie'),
    id,
    code: error.code,
    reason: error.data.reason,
  };
}

const failure = (status: number, reason: string) => {
  return { status, type: 'application/json', challenge: null, cookie: null, id: null, code: -32603, reason };
};

describe('the target’s fault is never the client’s', () => {
  test.each<[string, RequestListener, number, string, RegExp]>([
    [
      '401',
      (_req, res) => res.writeHead(401, { 'www-authenticate': 'Bearer' }).end('no'),
      502,
      'target_refused',
      /status 401/,
    ],
    ['403', (_req, res) => res.writeHead(403).end('no'), 502, 'target_refused', /status 403/],
    ['421', (_req, res) => res.writeHead(421).end('Invalid Host header'), 502, 'target_refused', /status 421/],
    ['407', (_req, res) => res.writeHead(407).end('no'), 502, 'target_refused', /status 407/],
    ['301', (_req, res) => res.writeHead(301, { location: '/mcp/' }).end(), 502, 'target_redirected', /status 301/],
    [
      '307',
      (_req, res) => res.writeHead(307, { location: 'https://evil.example' }).end(),
      502,
      'target_redirected',
      /307/,
    ],
    [
      '500',
      (_req, res) => res.writeHead(500, { 'set-cookie': 'a=b' }).end('stack'),
      502,
      'target_failed',
      /status 500/,
    ],
    ['504', (_req, res) => res.writeHead(504).end(), 502, 'target_failed', /status 504/],
    [
      'packs its answer',
      (_req, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
      502,
      'target_malformed',
      /Content-Encoding/,
    ],
    ['speaks no HTTP', (req) => req.socket.end('SSH-2.0-OpenSSH\r\n'), 502, 'target_malformed', /HTTP\/1.1 protocol/],
    ...[
      ['status 101', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
      ['status 101 without Upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
      ['status 100', 'HTTP/1.1 100 Continue\r\n\r\n'],
      ['status 000', 'HTTP/1.1 000 x\r\nContent-Length: 2\r\n\r\nab'],
      ['status 099', 'HTTP/1.1 099 x\r\nContent-Length: 2\r\n\r\nab'],
    ].map(([name = '', bytes = '']): [string, RequestListener, number, string, RegExp] => [
      name,
      (req) => req.socket.end(bytes),
      502,
      'target_malformed',
      /: it answered with (?:a )?status [\w ,]+$/,
    ]),
    ['breaks off', (req) => req.socket.destroy(), 502, 'target_broke_off', /./],
    [
      'breaks off within its headers',
      (req) => req.socket.end('HTTP/1.1 200 OK\r\nContent-'),
      502,
      'target_broke_off',
      /./,
    ],
  ])('%s', async (_name, listener, status, reason, line) => {
    const target = await startTarget(listener);
    const remote = await serveRemote(`${target.url}?key=secret`);
    const response = await post(remote.url, initialize(), remote.bearer('ada'));
    expect(await failureOf(response)).toEqual(failure(status, reason));
    const [log, ...others] = remote.lines.filter((text) => text.includes(`(${reason})`));
    expect(log).toMatch(line);
    expect(log).toContain(`error mcpHttpBackend(): ${target.url}: `);
    expect(others).toEqual([]);
    expect(remote.lines.join('\n')).not.toContain('secret');
    expect(remote.errors).toEqual([]);
  });

  test('it is down', async () => {
    const remote = await serveRemote(await unreachableUrl());
    const response = await post(remote.url, initialize(), remote.bearer('ada'));
    expect(await failureOf(response)).toEqual(failure(502, 'target_unreachable'));
    expect(remote.lines.at(-1)).toContain('ECONNREFUSED');
    await post(remote.url, initialize(), remote.bearer('ada'));
    // Once a minute.
    expect(remote.lines.filter((text) => text.includes('target_unreachable'))).toHaveLength(1);
    expect(await remote.backend.ready()).toBe(false);
  });

  test.each([
    ['its certificate is not trusted', SERVER, {}, /self-signed/i],
    ['its certificate is for another name', OTHER_SERVER, { ca: OTHER_SERVER.cert }, /altnames|Hostname/i],
  ])('%s', async (_name, certificate, options, line) => {
    const server = createTlsServer(certificate, (_req, res) => res.end());
    await listen(server);
    onTestFinished(() => stop(server));
    const remote = await serveRemote(originOf(server).replace('http:', 'https:'), options);
    const response = await post(remote.url, initialize(), remote.bearer('ada'));
    expect(await failureOf(response)).toEqual(failure(502, 'target_unreachable'));
    expect(remote.lines.at(-1)).toMatch(line);
  });

  test.each(['127.0.0.1', 'localhost'])('it speaks plain http on the port of an https URL: %s', async (host) => {
    const target = await startTarget((_req, res) => res.end());
    const url = target.url.replace('http://127.0.0.1', `https://${host}`);
    const remote = await serveRemote(url);
    const response = await post(remote.url, initialize(), remote.bearer('ada'));
    expect(await failureOf(response)).toEqual(failure(502, 'target_unreachable'));
    expect(remote.lines.at(-1)).toMatch(/[^\s]\. The server may speak plain http on this port, and not https$/);
  });

  test('it says when to come back: a 503 with Retry-After', async () => {
    const target = await startTarget((_req, res) => res.writeHead(503, { 'retry-after': '17' }).end());
    const remote = await serveRemote(target.url);
    const response = await post(remote.url, initialize(), remote.bearer('ada'));
    expect([response.status, response.headers.get('retry-after')]).toEqual([502, '17']);
  });

  test.each(['-5', '0x10', '1e3', '', 'soon'])('it says %j in place of a time: no Retry-After', async (time) => {
    const target = await startTarget((_req, res) => res.writeHead(503, { 'retry-after': time }).end());
    const remote = await serveRemote(target.url);
    const response = await post(remote.url, initialize(), remote.bearer('ada'));
    expect([response.status, response.headers.get('retry-after')]).toEqual([502, null]);
  });
});

test.each(['', 'identity,', ', Identity'])(
  'an answer whose Content-Encoding is %j is not encoded',
  async (encoding) => {
    const headers = { 'content-type': 'application/json', 'content-encoding': encoding };
    const target = await startTarget((_req, res) =>
      res.writeHead(200, headers).end('{"jsonrpc":"2.0","id":1,"result":{}}'),
    );
    const remote = await serveRemote(target.url);
    const response = await post(remote.url, initialize(), remote.bearer('ada'));
    expect([response.status, await response.json()]).toEqual([200, { jsonrpc: '2.0', id: 1, result: {} }]);
  },
);

describe('a stream that breaks', () => {
  test.each([
    ['an event stream', { 'content-type': 'text/event-stream' }],
    ['an answer of a known length', { 'content-type': 'application/json', 'content-length': '1000' }],
    ['an answer in chunks', { 'content-type': 'application/json' }],
  ])('%s: the client’s connection breaks too, and does not end', async (_name, headers) => {
    const target = await startTarget((req, res) => {
      res.writeHead(200, headers);
      res.write('data: 1\n\n', () => setTimeout(() => req.socket.destroy(), 50));
    });
    const remote = await serveRemote(target.url);
    const response = await post(remote.url, call(1, 'x'), remote.bearer('ada'));
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow('terminated');
    expect(remote.lines.at(-1)).toMatch(/^error mcpHttpBackend\(\): .*\(target_broke_off\)/);
  });
});

describe('no request is sent twice', () => {
  test.each([
    ['on a new connection', 0],
    ['on one that was used before', 1],
  ])('a POST that broke off %s', async (_name, before) => {
    let count = 0;
    const target = await startTarget((req, res) => {
      if (++count > before) req.socket.destroy();
      else res.end();
    });
    const remote = await serveRemote(target.url);
    const ada = remote.bearer('ada');
    for (let i = 0; i < before; i++) await post(remote.url, call(1, 'x'), ada);
    expect(await failureOf(await post(remote.url, call(2, 'x'), ada))).toEqual(failure(502, 'target_broke_off'));
    expect(count).toBe(before + 1);
  });
});

test('a target that closes its idle connections loses no request', async () => {
  const target = await startRecordingTarget();
  const remote = await serveRemote(target.url);
  const ada = await open(remote.url, remote.bearer('ada'));
  for (let i = 0; i < 5; i++) {
    target.server.closeIdleConnections();
    expect((await post(remote.url, call(i, 'x'), ada)).status).toBe(200);
  }
  expect(target.connections).toBeGreaterThan(1);
});

test('connections are kept and used again', async () => {
  const target = await startRecordingTarget();
  const remote = await serveRemote(target.url);
  const ada = await open(remote.url, remote.bearer('ada'));
  for (let i = 0; i < 20; i++) await post(remote.url, call(i, 'x'), ada);
  expect(target.connections).toBe(1);
  await Promise.all(Array.from({ length: 16 }, (_, i) => post(remote.url, call(i, 'x'), ada)));
  expect(target.connections).toBeLessThanOrEqual(16);
});

test('after a 500, the connection is used again', async () => {
  const target = await startTarget((_req, res) => res.writeHead(500).end('x'.repeat(10_000)));
  const remote = await serveRemote(target.url);
  for (let i = 0; i < 3; i++) expect((await post(remote.url, call(i, 'x'), remote.bearer('ada'))).status).toBe(502);
  await until(() => target.connections > 0);
  expect(target.connections).toBe(1);
});
