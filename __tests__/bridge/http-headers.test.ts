import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { call, JSON_HEADERS, open, post } from '../support/mcp-requests.js';
import { type RecordingTarget, startRecordingTarget } from '../support/recording-target.js';

/** Everything that reaches the target of a request without a session, but for what each has. */
const ALWAYS = ['accept-encoding', 'connection', 'content-length', 'host', 'x-forwarded-for', 'x-forwarded-host'];

/** The headers beside those, of the last request that reached the target. */
function further(target: RecordingTarget): Record<string, unknown> {
  const { headers } = target.arrived.at(-1) ?? {};
  const others = Object.entries(headers ?? {}).filter(([name]) => ![...ALWAYS, 'x-forwarded-proto'].includes(name));
  return Object.fromEntries(others);
}

/** Sends bytes as they are; resolves to everything that comes back until the other side closes the connection. */
function raw(url: string, text: string): Promise<string> {
  const { port, hostname } = new URL(url);
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk;
    });
    socket.on('close', () => resolve(received)).on('error', reject);
  });
}

const BODY = JSON.stringify(call(1, 'echo'));
const requestWith = (lines: readonly string[], version = '1.1', body = BODY): string =>
  [`POST /mcp HTTP/${version}`, ...lines, '', body].join('\r\n');
const PLAIN = ['Host: 127.0.0.1', 'Content-Type: application/json', 'Connection: close'];
const LENGTH = `Content-Length: ${BODY.length}`;

describe('from the client to the target', () => {
  test.each<[string, Record<string, string>, Record<string, unknown>]>([
    [
      'the protocol’s pass',
      { ...JSON_HEADERS, 'mcp-method': 'tools/call', 'mcp-name': 'echo' },
      { 'mcp-name': 'echo' },
    ],
    ['those of a tool’s parameters pass', { 'mcp-param-city': 'Oslo' }, { 'mcp-param-city': 'Oslo' }],
    [
      'the revision passes, of whatever year',
      { 'mcp-protocol-version': '2031-01-01' },
      { 'mcp-protocol-version': '2031-01-01' },
    ],
    ['the event id passes', { 'last-event-id': 'a b' }, { 'last-event-id': 'a b' }],
    ['traces pass', { traceparent: '00-1', tracestate: 'a=b' }, { traceparent: '00-1', tracestate: 'a=b' }],
    [
      'logins do not',
      { authorization: 'Basic c2VjcmV0', cookie: 'a=secret', dpop: 'x', 'proxy-authorization': 'x' },
      {},
    ],
    [
      'others do not',
      { 'x-user': 'root', via: '1.1 a', forwarded: 'for=1.2.3.4', 'x-real-ip': '1.2.3.4', te: 'gzip' },
      {},
    ],
  ])('%s', async (_name, sent, expected) => {
    const target = await startRecordingTarget();
    const { url } = await serveRemote(target.url, {}, { policy: null });
    expect((await post(url, BODY, sent)).status).toBe(200);
    const always = { ...JSON_HEADERS, 'accept-language': '*', 'user-agent': 'node' };
    const passes = Object.entries(sent).filter(([name]) => name.startsWith('mcp-') || name in always);
    expect(further(target)).toEqual({ ...always, ...Object.fromEntries(passes), ...expected });
  });

  test('the client’s token never reaches the target, in no byte', async () => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(target.url, { bearer: 'secret-of-the-target' });
    const ada = await open(remote.url, remote.bearer('ada'));
    const token = ada.authorization?.slice('Bearer '.length) ?? '';
    for (const method of ['GET', 'DELETE']) {
      const response = await fetch(remote.url, { method, headers: ada });
      await response.body?.cancel();
    }
    expect(target.arrived.map(({ method }) => method)).toEqual(['POST', 'GET', 'DELETE']);
    expect(target.bytes()).not.toContain(token.split('.')[1]);
    expect(target.bytes().match(/^authorization: .*$/gim)).toEqual(
      Array(3).fill('authorization: Bearer secret-of-the-target'),
    );
  });

  test('X-Forwarded-* are those of the application, not of the client', async () => {
    const target = await startRecordingTarget();
    const { url } = await serveRemote(target.url, {}, { policy: null });
    await post(url, BODY, { 'x-forwarded-for': '6.6.6.6', 'x-forwarded-host': 'evil', 'x-forwarded-proto': 'gopher' });
    const { host } = new URL(url);
    const { 'x-forwarded-for': address = '', ...headers } = target.arrived[0]?.headers ?? {};
    expect(address).toMatch(/^(?:::ffff:)?127\.0\.0\.1$/);
    expect(headers).toMatchObject({ 'x-forwarded-host': host, 'x-forwarded-proto': 'http' });
    expect(headers).toMatchObject({ host: new URL(target.url).host, 'accept-encoding': 'identity' });
  });

  test('with "trust proxy", they are what the proxy says', async () => {
    const target = await startRecordingTarget();
    const remote = await serveRemote(
      target.url,
      {},
      { policy: null, before: [(req, _res, next) => void (req.app.set('trust proxy', 1), next())] },
    );
    const forwarded = { 'x-forwarded-for': '5.5.5.5', 'x-forwarded-host': 'mcp.example', 'x-forwarded-proto': 'https' };
    await post(remote.url, BODY, forwarded);
    expect(target.arrived[0]?.headers).toMatchObject(forwarded);
  });

  test.each([
    ['requestHeaders lets further ones pass', { requestHeaders: ['X-Team'] }, { 'x-team': 'a' }, { 'x-team': 'a' }],
    [
      'a caller header is the application’s',
      { headers: { 'X-User': 'ada' } },
      { 'x-user': 'root' },
      { 'x-user': 'ada' },
    ],
    [
      'a caller header wins over one that may pass',
      { headers: { 'x-team': 'b' }, requestHeaders: ['x-team'] },
      { 'x-team': 'a' },
      { 'x-team': 'b' },
    ],
    [
      'one that is undefined is nobody’s',
      { headers: () => ({ 'X-Team': undefined }), requestHeaders: ['x-team'] },
      { 'x-team': 'a' },
      { 'x-team': undefined },
    ],
    ['Authorization may be set', { headers: { authorization: 'Basic eA==' } }, {}, { authorization: 'Basic eA==' }],
  ])('%s', async (_name, options, sent, expected) => {
    const target = await startRecordingTarget();
    const { url } = await serveRemote(target.url, options, { policy: null });
    await post(url, BODY, sent as Record<string, string>);
    const { headers = {} } = target.arrived[0] ?? {};
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, headers[name]]))).toEqual(expected);
    const names = (target.arrived[0]?.rawHeaders ?? []).filter((_text, i) => i % 2 === 0);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
  });

  test.each<[string, readonly string[], string | undefined]>([
    [
      'what Connection names does not go on',
      [...PLAIN.slice(0, 2), 'Connection: close, Mcp-Name', 'Mcp-Name: echo', LENGTH],
      undefined,
    ],
    ['Expect is answered here, and does not go on', [...PLAIN, 'Expect: 100-continue', LENGTH], undefined],
    [
      'trailers do not go on',
      [...PLAIN, 'Transfer-Encoding: chunked', 'Trailer: Mcp-Name'],
      `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\nMcp-Name: echo\r\n\r\n`,
    ],
  ])('%s', async (_name, lines, body) => {
    const target = await startRecordingTarget();
    const { url } = await serveRemote(target.url, {}, { policy: null });
    const answer = await raw(url, requestWith(lines, '1.1', body));
    expect(answer).toContain('HTTP/1.1 200 OK');
    expect(target.arrived[0]?.body).toBe(BODY);
    for (const name of ['mcp-name', 'expect', 'trailer']) expect(target.arrived[0]?.headers).not.toHaveProperty(name);
    expect(target.bytes()).not.toMatch(/mcp-name|expect|trailer/i);
  });

  test.each<[string, readonly string[], number]>([
    ['Content-Length with Transfer-Encoding', [...PLAIN, LENGTH, 'Transfer-Encoding: chunked'], 400],
    ['two Content-Lengths', [...PLAIN, LENGTH, 'Content-Length: 1'], 400],
    ['two Host headers', [...PLAIN, 'Host: evil.example', LENGTH], 400],
    ['two session ids', [...PLAIN, 'Mcp-Session-Id: a', 'Mcp-Session-Id: b', LENGTH], 400],
    ['another Transfer-Encoding', [...PLAIN, 'Transfer-Encoding: gzip, chunked'], 415],
    ['a Content-Encoding', [...PLAIN, LENGTH, 'Content-Encoding: gzip'], 415],
    ['another expectation', [...PLAIN, LENGTH, 'Expect: a-miracle'], 417],
  ])('%s: refused, and nothing goes on', async (_name, lines, status) => {
    const target = await startRecordingTarget();
    const { url } = await serveRemote(target.url, {}, { policy: null });
    const chunked = lines.some((line) => line.startsWith('Transfer-Encoding'));
    const body = chunked ? `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n` : BODY;
    expect(await raw(url, requestWith(lines, '1.1', body))).toContain(`HTTP/1.1 ${status} `);
    expect(target.bytes()).toBe('');
  });

  test('HTTP/1.0, without Host, is served', async () => {
    const target = await startRecordingTarget();
    const { url } = await serveRemote(target.url, { allowedHosts: ['', '127.0.0.1'].slice(1) }, { policy: null });
    const lines = ['Host: 127.0.0.1', 'Content-Type: application/json', LENGTH];
    const answer = await raw(url, requestWith(lines, '1.0'));
    expect(answer).toContain('"result"');
    expect(answer.toLowerCase()).not.toContain('transfer-encoding');
  });
});

describe('from the target to the client', () => {
  async function answered(headers: Record<string, string | string[]>, options = {}, status = 200) {
    const target = await startRecordingTarget((_arrived, res) => res.writeHead(status, headers).end('{}'));
    const { url } = await serveRemote(target.url, options, { policy: null });
    return post(url, BODY);
  }
  const FROM_OUR_SERVER = ['connection', 'date', 'keep-alive', 'x-powered-by'];

  test.each<[string, Record<string, string | string[]>, Record<string, string>, object?]>([
    [
      'the type and length pass',
      { 'content-type': 'application/json', 'content-length': '2' },
      { 'content-type': 'application/json', 'content-length': '2' },
    ],
    [
      'the revision and the cache rule pass',
      { 'mcp-protocol-version': 'x', 'cache-control': 'no-store' },
      { 'mcp-protocol-version': 'x', 'cache-control': 'no-store', 'transfer-encoding': 'chunked' },
    ],
    [
      'cookies and logins do not',
      { 'set-cookie': ['a=b', 'c=d'], 'www-authenticate': 'Bearer', 'proxy-authenticate': 'Basic' },
      { 'transfer-encoding': 'chunked' },
    ],
    [
      'others do not',
      { server: 'x', via: 'y', 'access-control-allow-origin': '*', 'x-other': 'z', trailer: 'x-sum' },
      { 'transfer-encoding': 'chunked' },
    ],
    [
      'responseHeaders lets further ones pass',
      { 'x-other': 'z', 'x-more': ['1', '2'] },
      { 'x-other': 'z', 'x-more': '1, 2', 'transfer-encoding': 'chunked' },
      { responseHeaders: ['X-Other', 'x-more'] },
    ],
  ])('%s', async (_name, sent, expected, options) => {
    const { headers } = await answered(sent, options);
    const others = [...headers].filter(([name]) => !FROM_OUR_SERVER.includes(name));
    expect(Object.fromEntries(others)).toEqual(expected);
  });

  test('an event stream is not to be buffered, packed or cached on its way', async () => {
    const { headers } = await answered({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'public',
    });
    expect(headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(headers.get('x-accel-buffering')).toBe('no');
  });

  test('a 103 is for this hop only', async () => {
    const target = await startRecordingTarget((_arrived, res) => {
      res.writeEarlyHints({ link: '</a>; rel=preload' });
      res.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    const { url } = await serveRemote(target.url, {}, { policy: null });
    const answer = await raw(url, requestWith([...PLAIN, LENGTH]));
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(answer).not.toContain('preload');
  });

  test.each([400, 404, 405, 406, 409, 413, 415, 422, 429])(
    'status %i is the client’s affair, and passes',
    async (status) => {
      const sent = { 'content-type': 'application/json', allow: 'POST', 'retry-after': '7' };
      const response = await answered(sent, {}, status);
      expect([response.status, await response.text()]).toEqual([status, '{}']);
      expect(Object.fromEntries(response.headers)).toMatchObject(sent);
    },
  );
});
