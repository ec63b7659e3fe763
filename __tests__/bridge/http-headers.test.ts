import type { RequestHandler } from 'express';
import { describe, expect, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { call, JSON_HEADERS, open, post } from '../support/mcp-requests.js';
import { sendRaw } from '../support/raw-request.js';
import { type RecordingTarget, startRecordingTarget } from '../support/recording-target.js';

/** The headers that the target gets with every request without a session. */
const ALWAYS = ['accept-encoding', 'connection', 'content-length', 'host', 'x-forwarded-for', 'x-forwarded-host'];

const trustProxy: RequestHandler = (req, _res, next) => {
  req.app.set('trust proxy', 1);
  next();
};

/** The other headers of the last request that reached the target. */
function further(target: RecordingTarget): Record<string, unknown> {
  const { headers } = target.arrived.at(-1) ?? {};
  const others = Object.entries(headers ?? {}).filter(([name]) => ![...ALWAYS, 'x-forwarded-proto'].includes(name));
  return Object.fromEntries(others);
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
    const remote = await serveRemote(target.url, {}, { policy: null, before: [trustProxy] });
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
      'one that is undefined is not sent at all',
      { headers: () => ({ 'X-Team': undefined }), requestHeaders: ['x-team'] },
      { 'x-team': 'a' },
      { 'x-team': undefined },
    ],
    [
      'another spelling of a caller header is the same header',
      { headers: () => ({ 'x-user': 'ada', x_team: 'b' }), requestHeaders: ['x_user', 'x.user', 'x-team'] },
      { x_user: 'root', 'x.user': 'root', 'x-team': 'root' },
      { 'x-user': 'ada', x_user: undefined, 'x.user': undefined, x_team: 'b', 'x-team': undefined },
    ],
    [
      'another spelling of an X-Forwarded header too',
      { headers: { x_forwarded_for: '1.2.3.4' } },
      {},
      { x_forwarded_for: '1.2.3.4', 'x-forwarded-for': undefined },
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
    const answer = await sendRaw(url, requestWith(lines, '1.1', body));
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
    expect(await sendRaw(url, requestWith(lines, '1.1', body))).toContain(`HTTP/1.1 ${status} `);
    expect(target.bytes()).toBe('');
  });

  test('HTTP/1.0 is served', async () => {
    const target = await startRecordingTarget();
    const { url } = await serveRemote(target.url, {}, { policy: null });
    const lines = ['Host: 127.0.0.1', 'Content-Type: application/json', LENGTH];
    const answer = await sendRaw(url, requestWith(lines, '1.0'));
    expect(answer).toContain('"result"');
    expect(answer.toLowerCase()).not.toContain('transfer-encoding');
  });
});
