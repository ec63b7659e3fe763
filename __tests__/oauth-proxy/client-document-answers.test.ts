import type { ServerResponse } from 'node:http';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { NAMED_SERVER, OTHER_SERVER } from '../support/certificates.js';
import { CALLER, documentsOf, documentText, refusalOf, sendJson, serveDocuments } from '../support/document-host.js';
import { unreachableUrl } from '../support/loopback-server.js';

type Answer = (res: ServerResponse, clientId: string) => void;

async function fetchFrom(answer: Answer) {
  const server = await serveDocuments((_req, res, url) => answer(res, url));
  return { server, attempt: documentsOf().get(server.url(), CALLER) };
}

const sendText =
  (text: string | Buffer, headers: Record<string, string> = {}): Answer =>
  (res) =>
    void res.writeHead(200, { 'content-type': 'application/json', ...headers }).end(text);

const compressed =
  (encoding: string, compress: (text: string) => Buffer): Answer =>
  (res, url) =>
    sendText(compress(documentText(url)), { 'content-encoding': encoding })(res, url);

describe('a document is accepted', () => {
  test.each<[what: string, answer: Answer]>([
    [
      'with charset=utf-8',
      (res, url) => sendJson(res, documentText(url), { 'content-type': 'application/json; charset=utf-8' }),
    ],
    [
      'as application/oauth+json',
      (res, url) => sendJson(res, documentText(url), { 'content-type': 'application/oauth+json' }),
    ],
    [
      'with a type in upper case',
      (res, url) => sendJson(res, documentText(url), { 'content-type': 'Application/JSON' }),
    ],
    ['after a byte order mark', (res, url) => sendJson(res, `\uFEFF${documentText(url)}`)],
    ['with gzip', compressed('gzip', gzipSync)],
    ['with GZIP', compressed('GZIP', gzipSync)],
    ['with deflate', compressed('deflate', deflateSync)],
    ['with br', compressed('br', brotliCompressSync)],
    ['with identity', compressed('identity', Buffer.from)],
    ['with 16,384 bytes', (res, url) => sendJson(res, documentText(url).padEnd(16_384))],
  ])('%s', async (_what, answer) => {
    const { attempt, server } = await fetchFrom(answer);
    expect(await attempt).toMatchObject({ url: server.url() });
  });
});

const STATUS = 'be served with status 200, without a redirect';
const TYPE = 'have the Content-Type application/json';
const SIZE = 'have at most 16384 bytes, also after decompression';
const JSON_RULE = 'be one JSON object in UTF-8, without a member that appears twice';
const ENCODING = 'be sent without compression, or with gzip, deflate or br';
const secret = 'secret-of-the-body';
const bomb = Buffer.alloc(16 * 1024 * 1024, ' ');

test.each<[what: string, answer: Answer, rule: string]>([
  ...[201, 204, 206, 304, 400, 401, 403, 404, 410].map((status): [string, Answer, string] => [
    `status ${status}`,
    (res) => void res.writeHead(status).end(),
    STATUS,
  ]),
  ...[301, 302, 303, 307, 308].map((status): [string, Answer, string] => [
    `a redirect with ${status}`,
    (res, url) =>
      void res
        .writeHead(status, { location: `${url}/moved`, 'content-type': 'application/json' })
        .end(documentText(url)),
    STATUS,
  ]),
  ['no content type', (res, url) => void res.writeHead(200).end(documentText(url)), TYPE],
  ...[
    'text/html',
    'text/plain',
    'text/json',
    'application/jsonp',
    'application/json-seq',
    'application/javascript',
  ].map((type): [string, Answer, string] => [
    type,
    (res, url) => sendJson(res, documentText(url), { 'content-type': type }),
    TYPE,
  ]),
  ['one byte too many', (res, url) => sendJson(res, documentText(url).padEnd(16_385)), SIZE],
  ['an endless body', (res) => void res.writeHead(200, { 'content-type': 'application/json' }).write(bomb), SIZE],
  ['a gzip bomb', sendText(gzipSync(bomb), { 'content-encoding': 'gzip' }), SIZE],
  ['a small gzip bomb', sendText(gzipSync(bomb.subarray(0, 1_000_000)), { 'content-encoding': 'gzip' }), SIZE],
  ['a deflate bomb', sendText(deflateSync(bomb.subarray(0, 1_000_000)), { 'content-encoding': 'deflate' }), SIZE],
  ['a br bomb', sendText(brotliCompressSync(bomb), { 'content-encoding': 'br' }), SIZE],
  ['gzip within gzip', sendText(gzipSync(gzipSync('{}')), { 'content-encoding': 'gzip, gzip' }), ENCODING],
  ['zstd', sendText('{}', { 'content-encoding': 'zstd' }), ENCODING],
  ['raw deflate', sendText(deflateRawSync('{}'), { 'content-encoding': 'deflate' }), ENCODING],
  ['gzip that is none', sendText('{}', { 'content-encoding': 'gzip' }), ENCODING],
  ['gzip that is cut', sendText(gzipSync('{"a":1}').subarray(0, 15), { 'content-encoding': 'gzip' }), ENCODING],
  ['an empty body', sendText(''), JSON_RULE],
  ['no JSON', sendText(`<html>${secret}`), JSON_RULE],
  ['a list', sendText('[]'), JSON_RULE],
  ['null', sendText('null'), JSON_RULE],
  ['a string', sendText(`"${secret}"`), JSON_RULE],
  ['a member twice', sendText(`{"client_id":"a","client_id":"${secret}"}`), JSON_RULE],
  ['a member twice, once escaped', sendText('{"a":1,"\\u0061":2}'), JSON_RULE],
  ['text after the object', sendText('{} {}'), JSON_RULE],
  ['deep nesting', sendText(`{"a":${'['.repeat(8_000)}${']'.repeat(8_000)}}`), JSON_RULE],
  ['bytes that are not UTF-8', sendText(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), JSON_RULE],
  ['UTF-16', sendText(Buffer.from('\uFEFF{}', 'utf16le')), JSON_RULE],
])('%s is refused as the fault of the client', async (_what, answer, rule) => {
  const { attempt, server } = await fetchFrom(answer);
  const refusal = await refusalOf(attempt);
  expect(refusal).toMatchObject({ code: 'invalid_client', message: `The client metadata document must ${rule}` });
  expect(refusal.log.reason).toContain(`(app.clients.example:${server.port}`);
  expect(JSON.stringify(refusal)).not.toContain(secret);
  // No redirect is followed, and nothing is tried twice.
  expect(server.requests).toHaveLength(1);
});

const ADVICE = 'if this server cannot reach the internet, set oauthProxy.clientDocuments.enabled to false';

describe('an outage is not the fault of the client', () => {
  const outage = (host: string, reason: string) => ({
    code: 'client_document_unavailable',
    status: 503,
    message: 'The metadata document of the client cannot be fetched at the moment',
    retryAfterSeconds: 30,
    log: { reason: `${host}: ${reason}` },
  });

  test.each([408, 429, 500, 502, 503, 504])('status %s', async (status) => {
    const { attempt, server } = await fetchFrom((res) => void res.writeHead(status).end());
    const host = `app.clients.example:${server.port}`;
    expect(await refusalOf(attempt)).toEqual(outage(host, `it answered with status ${status}`));
  });

  test('nothing listens', async () => {
    const { port } = new URL(await unreachableUrl());
    const attempt = documentsOf().get(`https://app.clients.example:${port}/c`, CALLER);
    expect(await refusalOf(attempt)).toEqual(outage(`app.clients.example:${port}`, `ECONNREFUSED; ${ADVICE}`));
  });

  test('DNS does not know the name', async () => {
    const resolve = () => Promise.reject(Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' }));
    const attempt = documentsOf({ network: { resolve } }).get('https://app.clients.example/c', CALLER);
    expect(await refusalOf(attempt)).toEqual(outage('app.clients.example', `ENOTFOUND; ${ADVICE}`));
  });

  test('the name has no address', async () => {
    const attempt = documentsOf({ network: { resolve: async () => [] } }).get('https://app.clients.example/c', CALLER);
    expect(await refusalOf(attempt)).toEqual(outage('app.clients.example', `ENOTFOUND; ${ADVICE}`));
  });

  test('the certificate is for another name, or from an authority that is not trusted', async () => {
    const server = await serveDocuments();
    const reasonOf = async (url: string, ca: string) =>
      (await refusalOf(documentsOf({ network: { ca } }).get(url, CALLER))).log.reason;
    expect(await reasonOf(server.url(), OTHER_SERVER.cert)).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(await reasonOf(server.url('/c', 'other.example'), NAMED_SERVER.cert)).toContain(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    );
    expect(server.requests).toEqual([]);
  });

  const bytes =
    (text: string): Answer =>
    (res) =>
      void res.socket?.end(text);
  test.each<[what: string, answer: Answer]>([
    [
      'another protocol, which was not asked for',
      (res) => void res.socket?.write('HTTP/1.1 101 Ok\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n'),
    ],
    ['only an interim response', bytes('HTTP/1.1 103 Early Hints\r\n\r\n')],
    ['many interim responses', bytes('HTTP/1.1 100 Continue\r\n\r\n'.repeat(1_000))],
    ['nothing', bytes('')],
    ['half a header', bytes('HTTP/1.1 200 OK\r\nContent-')],
    ['too many headers', bytes(`HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(20_000)}\r\n`)],
    ['a header that is too long', bytes(`HTTP/1.1 200 OK\r\nA: ${'b'.repeat(100_000)}\r\n\r\n`)],
    ['two lengths', bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}')],
    ['the greeting of another protocol', bytes('SSH-2.0-OpenSSH_9.2\r\n')],
  ])('the host sends %s', async (_what, answer) => {
    const { attempt } = await fetchFrom(answer);
    expect(await refusalOf(attempt)).toMatchObject({ code: 'client_document_unavailable', status: 503 });
  });

  test('the connection breaks off', async () => {
    const { attempt } = await fetchFrom((res) => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('{');
      setImmediate(() => res.destroy());
    });
    expect(await refusalOf(attempt)).toMatchObject({ code: 'client_document_unavailable' });
  });
});
