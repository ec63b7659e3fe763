import { expect, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { call, post } from '../support/mcp-requests.js';
import { sendRaw } from '../support/raw-request.js';
import { startRecordingTarget } from '../support/recording-target.js';

const BODY = JSON.stringify(call(1, 'echo'));

async function answered(headers: Record<string, string | string[]>, options = {}, status = 200) {
  const target = await startRecordingTarget((_arrived, res) => res.writeHead(status, headers).end('{}'));
  const { url } = await serveRemote(target.url, options, { policy: null });
  return post(url, BODY);
}
const FROM_OUR_SERVER = ['connection', 'date', 'keep-alive', 'x-powered-by'];
/** See http-answer-types.test.ts. */
const NO_SNIFF = { 'x-content-type-options': 'nosniff' };
const UNTYPED = { ...NO_SNIFF, 'content-security-policy': "default-src 'none'; sandbox" };

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
  expect(Object.fromEntries(others)).toEqual({ ...expected, ...('content-type' in sent ? NO_SNIFF : UNTYPED) });
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
  const lines = ['POST /mcp HTTP/1.1', 'Host: 127.0.0.1', 'Connection: close', `Content-Length: ${BODY.length}`];
  const request = [...lines, '', BODY].join('\r\n');
  const answer = await sendRaw(url, request);
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
