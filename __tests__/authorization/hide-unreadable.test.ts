import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import express, { type RequestHandler } from 'express';
import { describe, expect, test } from 'vitest';
import { mcpAuth, mcpScopes } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { serve } from '../support/loopback-server.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const issuer = createTestIssuer();
const policy = issuer.policy({ resource: 'https://mcp.example/mcp' });

const tools = [{ name: 'echo' }, { name: 'delete_file' }];
const json = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools } });
const LIST_TOOLS = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
const event = `data: ${json}\n\n`;

const error = (id: number | null) =>
  JSON.stringify({
    jsonrpc: '2.0',
    id,
    error: {
      code: -32603,
      message: 'The answer of the MCP server cannot be read, so it cannot be filtered',
      data: { reason: 'unreadable_answer' },
    },
  });

interface Seen {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  readonly lines: readonly string[];
}

/** Sends a request as a caller who may not see `delete_file`. The server gives `answer` to every request. */
async function ask(answer: RequestHandler, init: RequestInit = {}, message = LIST_TOOLS): Promise<Seen> {
  const { lines, logger } = createRecordingLogger();
  const app = express();
  app.use(mcpAuth(policy), mcpScopes({ 'tools/call': { 'delete_*': ['write'] } }, { hide: true, logger }), answer);
  const headers = { authorization: `Bearer ${issuer.token()}`, 'content-type': 'application/json', ...init.headers };
  const method = init.method ?? 'POST';
  const body = method === 'GET' ? null : message;
  const response = await fetch(await serve(app), { ...init, method, headers, body });
  return { status: response.status, text: await response.text(), headers: response.headers, lines };
}

const sending = (headers: Record<string, string | string[]>, body: string | Buffer): RequestHandler => {
  return (_req, res) => void res.writeHead(200, headers).end(body);
};
const withType = (type: string | string[], body: string | Buffer) => sending({ 'content-type': type }, body);
const encoded = (coding: string, body: Buffer, type = 'application/json') =>
  sending({ 'content-type': type, 'content-encoding': coding }, body);

const utf16 = Buffer.from(json, 'utf16le');
const multipart = `--x\r\ncontent-type: application/json\r\n\r\n${json}\r\n--x--\r\n`;

const unreadable: [what: string, answer: RequestHandler, fault: string][] = [
  ['gzip', encoded('gzip', gzipSync(json)), 'it is encoded (gzip)'],
  ['GZip', encoded('GZip', gzipSync(json)), 'it is encoded (gzip)'],
  ['deflate', encoded('deflate', deflateSync(json)), 'it is encoded (deflate)'],
  ['br', encoded('br', brotliCompressSync(json)), 'it is encoded (br)'],
  ['two encodings', encoded('identity, gzip', gzipSync(json)), 'it is encoded (gzip)'],
  ['an unknown encoding', encoded('x', Buffer.from(json)), 'it is encoded (x)'],
  ['events in gzip', encoded('gzip', gzipSync(event), 'text/event-stream'), 'it is encoded (gzip)'],
  ['gzip that is not declared', withType('application/json', gzipSync(json)), 'it is not UTF-8'],
  ['UTF-16', withType('application/json; charset=utf-16le', utf16), 'its charset is utf-16le'],
  ['UTF-16 in quotes', withType('application/json;charset="UTF-16"', utf16), 'its charset is utf-16'],
  ['UTF-16 that is not declared', withType('application/json', utf16), 'it contains the character NUL'],
  ['UTF-7', withType('application/json; charset =utf-7', json.replaceAll('"', '+ACI-')), 'its charset is utf-7'],
  ['ISO 8859-1', withType('application/json; a=b; charset=iso-8859-1', json), 'its charset is iso-8859-1'],
  ['bytes that are not UTF-8', withType('application/json', Buffer.from(`${json}\xff`, 'latin1')), 'it is not UTF-8'],
  ['a text of 17 MiB', withType('application/json', Buffer.alloc(17_825_792, '1')), 'it is longer than 16 MiB'],
  ['events in UTF-16', withType('text/event-stream; charset=utf-16', utf16), 'its charset is utf-16'],
  ...Object.entries({
    'lines of JSON': ['application/x-ndjson', `${json}\n${json}\n`],
    'lines of JSON as JSON': ['application/json', `${json}\n${json}\n`],
    'two documents': ['application/json', json + json],
    'JSON with a comment': ['application/json', `/* */${json}`],
    'JSON with an extra comma': ['application/json', json.replace(']', ',]')],
    'JSON behind a guard': ['application/json', `)]}'\n${json}`],
    'JSON cut off': ['application/json', json.slice(0, -1)],
    'a name twice': ['application/json', json.replace('}}', '},"result":{}}')],
    'events as text': ['text/plain', event],
    'events as JSON': ['application/json', event],
    'a call of a function': ['text/javascript', `f(${json})`],
    'several parts': ['multipart/mixed; boundary=x', multipart],
    'a page': ['text/html', `<script>${json}</script>`],
  }).map(([what, [type = '', body = '']]): [string, RequestHandler, string] => [
    what,
    withType(type, body),
    'it is not one JSON text without duplicate names',
  ]),
  ...['text/event-stream, application/json', 'application/json, text/event-stream', 'json', 'application/json x'].map(
    (type): [string, RequestHandler, string] => [
      `the type ${type}`,
      withType(type, type.startsWith('text') ? event : json),
      'its Content-Type is not one media type',
    ],
  ),
  [
    'two types',
    (_req, res) => void res.setHeader('content-type', ['text/event-stream', 'application/json'] as never).end(event),
    'its Content-Type is not one media type',
  ],
];

test.each(unreadable)('%s is answered 502, and the log says why', async (_what, answer, fault) => {
  const { status, text, headers, lines } = await ask(answer);
  expect([status, text]).toEqual([502, error(1)]);
  expect(headers.get('content-type')).toBe('application/json');
  expect(headers.get('content-encoding')).toBeNull();
  expect(lines).toEqual([
    `error mcpScopes(): unreadable_answer: hide is on and the MCP server's answer cannot be read: ${fault}`,
  ]);
});

const readable: [what: string, type: string | undefined, body: string][] = [
  ['JSON', 'application/json', json],
  ['JSON in capitals', 'Application/JSON', json],
  ['JSON in UTF-8', 'application/json; charset="UTF-8"', json],
  ['JSON in ASCII', 'application/json;charset=us-ascii', json],
  ['JSON with a parameter', 'application/json; profile=x', json],
  ['JSON without a type', undefined, json],
  ['events', 'text/event-stream', event],
  ['events in UTF-8', 'text/event-stream;charset=utf-8', event],
  ['encoded as itself', 'application/json', json],
];

test.each(readable)('%s is read, and passed on without the hidden tools', async (what, type, body) => {
  const { status, text, lines } = await ask((_req, res) => {
    if (type !== undefined) res.setHeader('content-type', type);
    if (what === 'encoded as itself') res.setHeader('content-encoding', 'identity');
    res.end(body);
  });
  expect(status).toBe(200);
  expect(text).toContain('"echo"');
  expect(text).not.toContain('delete_file');
  expect(lines).toEqual([]);
});

describe('within an event stream', () => {
  const events = (...parts: string[]) => withType('text/event-stream', parts.join(''));

  test.each([
    ['two documents in one event', `data: ${json}${json}\n\n`],
    ['invalid JSON', `data: ${json.slice(1)}\n\n`],
    ['a name twice', `data: ${json.replace('}}', '},"result":{}}')}\n\n`],
  ])('%s become an error, and the other events are passed on', async (_what, bad) => {
    const { status, text, lines } = await ask(events('data: 1\n\n', bad, 'data: 2\n\n'));
    expect([status, text]).toEqual([200, `data: 1\n\ndata: ${error(1)}\n\ndata: 2\n\n`]);
    expect(lines).toHaveLength(1);
  });

  test.each([
    ['on one line', json],
    ['on several', JSON.stringify(JSON.parse(json), null, 1)],
  ])('JSON that is not an event, %s, is not passed on', async (_what, bad) => {
    const { text } = await ask(events('data: 1\n\n', `${bad}\n\n`, 'data: 2\n\n'));
    expect(text).not.toContain('delete_file');
    expect(text).toContain('data: 2\n\n');
  });
});

test.each([
  [404, 404],
  [503, 503],
  [302, 502],
])('an answer with status %i that cannot be read is answered %i', async (status, expected) => {
  const answer: RequestHandler = (_req, res) => void res.writeHead(status, { 'x-kept': 'yes' }).end(`${json}${json}`);
  const seen = await ask(answer, { redirect: 'manual' });
  expect([seen.status, seen.text, seen.headers.get('x-kept')]).toEqual([expected, error(1), 'yes']);
});

test('after an error has replaced the answer, everything that the server writes is discarded', async () => {
  const steps: string[] = [];
  const { status, text } = await ask((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' }).flushHeaders();
    res.write('a', () => steps.push('written'));
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end('b', () => steps.push('ended'));
    res.end();
  });
  expect([status, text, steps]).toEqual([502, error(1), ['written', 'ended']]);
});

describe('to GET', () => {
  const get = (answer: RequestHandler, accept?: string) =>
    ask(answer, { method: 'GET', headers: accept === undefined ? { accept: '*/*' } : { accept } });

  test.each([
    ['events of another type, to a client of events', withType('text/plain', event), 'text/event-stream'],
    ['an encoded stream', encoded('gzip', gzipSync(event), 'text/event-stream'), undefined],
    ['two types', withType('text/event-stream, application/json', event), undefined],
    ['lines of JSON', withType('application/x-ndjson', `${json}\n${json}`), undefined],
    ['events without a type', sending({}, event), undefined],
  ])('%s are answered 502', async (_what, answer, accept) => {
    const { status, text } = await get(answer, accept);
    expect([status, text]).toEqual([502, error(null)]);
  });

  test('a page is left alone, encoded or not', async () => {
    const page = withType('text/html', '<p>"tools"</p>');
    expect(await get(page, 'text/html')).toMatchObject({ status: 200, text: '<p>"tools"</p>' });
    const packed = await get(encoded('gzip', gzipSync('<p>"tools"</p>'), 'text/html'));
    expect(packed).toMatchObject({ status: 200, text: '<p>"tools"</p>', lines: [] });
  });
});

test('the error has no id if JSON parsing has rounded that of the request: the client would not recognise it', async () => {
  const body = '{"jsonrpc":"2.0","id":9223372036854775807,"method":"tools/list"}';
  expect((await ask(withType('application/json', json + json), {}, body)).text).toBe(error(null));
});

test('an answer without a body is left alone', async () => {
  for (const status of [202, 204, 304]) {
    const { status: seen, lines } = await ask((_req, res) => void res.writeHead(status).end());
    expect([seen, lines]).toEqual([status, []]);
  }
});

test('a caller of a server that hides nothing gets every answer as it is', async () => {
  const app = express().use(mcpAuth(policy), mcpScopes({ 'tools/call': ['write'] }), encoded('gzip', gzipSync(json)));
  const headers = { authorization: `Bearer ${issuer.token()}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  expect(await (await fetch(await serve(app), { method: 'POST', headers, body })).text()).toBe(json);
});
