import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Middleware } from '../../src/index.js';
import {
  type Answer,
  events,
  failure,
  json,
  result,
  sending,
  serveObserved,
  toolCall,
} from '../support/observed-app.js';
import { until } from '../support/until.js';

const bytesOf = (message: object) => Buffer.byteLength(JSON.stringify(message));
const ping = { jsonrpc: '2.0', id: 9, method: 'ping' };
const notice = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1 } };

type Row = [what: string, answer: Answer, record: object];

const ANSWERS: Row[] = [
  ['a result', json(result()), { outcome: 'answered', code: undefined }],
  ['a tool error', json(result(1, { isError: true })), { outcome: 'tool_error', code: undefined }],
  ['an error', json(failure()), { outcome: 'protocol_error', code: -32602, bytesOut: bytesOf(failure()) }],
  ['an error with a status', json(failure(1, -32601), 404), { outcome: 'protocol_error', code: -32601 }],
  ['an error without an id', json(failure(null, -32000), 400), { outcome: 'protocol_error', code: -32000 }],
  ['an answer to another request', json(result(2)), { outcome: 'target_failed', code: undefined }],
  ['an id in another spelling', sending(200, 'application/json', '{"id":1.0,"result":{}}'), { outcome: 'answered' }],
  ['JSON without a type', (_req, res) => void res.end(JSON.stringify(result())), { outcome: 'answered' }],
  ['a tool error in events', events(notice, result(1, { isError: true })), { outcome: 'tool_error' }],
  ['an error in events', events(failure()), { outcome: 'protocol_error', code: -32602 }],
  ['events without an answer', events(notice), { outcome: 'target_failed', code: undefined }],
  ['202', (_req, res) => void res.writeHead(202).end(), { outcome: 'target_failed', bytesOut: 0 }],
  ['a page with an error', sending(500, 'text/html', '<h1>{"id":1}'), { outcome: 'target_failed', code: undefined }],
  ['401', sending(401, 'text/plain', 'no'), { outcome: 'denied', code: undefined }],
  ['403', sending(403, 'text/plain', 'no'), { outcome: 'denied' }],
  ['429', sending(429, 'text/plain', 'no'), { outcome: 'limited' }],
  ['504', sending(504, 'text/plain', 'no'), { outcome: 'timed_out' }],
  ['no JSON', sending(200, 'application/json', 'nothing'), { outcome: 'target_failed', bytesOut: 7 }],
  ['JSON that ends too early', sending(200, 'application/json', '{"id":1,"result":{'), { outcome: 'target_failed' }],
  [
    'bytes that the server itself has compressed',
    (_req, res) =>
      void res
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end(gzipSync(JSON.stringify(result()))),
    { outcome: 'answered' },
  ],
  ['nothing: it closes the connection', (_req, res) => void res.destroy(), { outcome: 'cancelled', code: 'cancelled' }],
  [
    'an answer that breaks off',
    (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
      res.write('{"id":1,"result":{}');
      setImmediate(() => res.destroy());
    },
    { outcome: 'cancelled' },
  ],
];

test.each(ANSWERS)('the record says how a call ended: %s', async (_what, answer, record) => {
  const { post, recorded } = await serveObserved(answer);
  await post(toolCall())
    .then((response) => response.text())
    .catch(() => undefined);
  const [first, ...more] = await recorded(1);
  expect(first).toMatchObject(record);
  expect(more).toEqual([]);
});

test('an error that goes to next(error) is the failure of the server', async () => {
  const { post, recorded } = await serveObserved(() => {
    throw new Error('broken');
  });
  expect((await post(toolCall())).status).toBe(500);
  expect(await recorded(1)).toMatchObject([{ outcome: 'target_failed' }]);
});

test('a call whose client leaves is cancelled, and only once', async () => {
  let answered: ServerResponse | undefined;
  const { post, recorded, records } = await serveObserved((_req, res) => {
    answered = res;
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(': waits\n\n');
  });
  const abort = new AbortController();
  const response = await post(toolCall(), { signal: abort.signal });
  expect(records).toEqual([]);
  abort.abort();
  await expect(response.text()).rejects.toThrow();
  expect(await recorded(1)).toMatchObject([{ outcome: 'cancelled', code: 'cancelled' }]);
  answered?.end(`data: ${JSON.stringify(result())}\n\n`);
  expect(await recorded(1)).toHaveLength(1);
});

test('in an event stream, a call ends with its answer and not with the stream', async () => {
  let finish = () => undefined as unknown;
  const { post, recorded } = await serveObserved((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(`data: ${JSON.stringify(result())}\n\n`);
    finish = () => res.end();
  });
  const response = await post(toolCall());
  expect(await recorded(1)).toMatchObject([{ outcome: 'answered' }]);
  finish();
  await response.text();
  expect(await recorded(1)).toHaveLength(1);
});

describe('batches', () => {
  const batch = [toolCall(1, 'a'), notice, result(7), toolCall('1', 'b'), ping];
  const expected = [
    { name: 'a', outcome: 'answered', bytesIn: bytesOf(toolCall(1, 'a')), bytesOut: bytesOf(result(1)) },
    { name: 'b', outcome: 'protocol_error', code: -32602, bytesIn: bytesOf(toolCall('1', 'b')) },
    { method: 'ping', name: undefined, outcome: 'target_failed', bytesIn: bytesOf(ping) },
  ];

  test.each<[string, Answer]>([
    ['one JSON text', json([failure('1'), result(1)])],
    ['events', events(result(1), failure('1'))],
    [
      'an event with several lines',
      sending(
        200,
        'text/event-stream',
        `data: [${JSON.stringify(result(1))},\ndata: ${JSON.stringify(failure('1'))}]\n\n`,
      ),
    ],
  ])('each request has a record, whose answer is found by its id: %s', async (_name, answer) => {
    const { post, recorded } = await serveObserved(answer);
    await (await post(batch)).text();
    const records = await recorded(3);
    expect(records).toHaveLength(3);
    expect(records).toEqual(expect.arrayContaining(expected.map((record) => expect.objectContaining(record))));
  });

  test('two calls with one id have two records', async () => {
    const { post, recorded } = await serveObserved(json([result(1), failure(1)]));
    await (await post([toolCall(1, 'a'), toolCall(1, 'b')])).text();
    expect((await recorded(2)).map(({ name, outcome }) => [name, outcome])).toEqual([
      ['a', 'answered'],
      ['b', 'protocol_error'],
    ]);
  });
});

test.each<[string, string, RequestInit]>([
  ['a notification', JSON.stringify(notice), {}],
  ['a response of the client', JSON.stringify(result(1)), {}],
  ['GET', '', { method: 'GET', body: null }],
  ['DELETE', '', { method: 'DELETE', body: null }],
])('%s is no call', async (_name, body, init) => {
  const { post, records } = await serveObserved((_req, res) => void res.writeHead(202).end());
  await (await post(body, init)).text();
  await (await post(toolCall())).text();
  await until(() => records.length > 0);
  expect(records).toHaveLength(1);
});

test('a body that a parser has read before is recorded from req.body', async () => {
  const parse: Middleware = (req, _res, next) => {
    req
      .on('data', () => undefined)
      .on('end', () => {
        Object.assign(req, { body: toolCall(3, 'parsed') });
        next();
      });
  };
  const { post, recorded } = await serveObserved(json(result(3)), { before: [parse] });
  await (await post(toolCall(3, 'sent'))).text();
  expect(await recorded(1)).toMatchObject([{ name: 'parsed', outcome: 'answered' }]);
});

test('the server receives the body in req.body, and in the request', async () => {
  let seen: unknown[] = [];
  const { post } = await serveObserved(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    seen = [req.body, Buffer.concat(chunks).toString()];
    res.end(JSON.stringify(result()));
  });
  await (await post(toolCall())).text();
  expect(seen).toEqual([toolCall(), JSON.stringify(toolCall())]);
});

test.each<[string, string, number]>([
  ['not JSON', '{', 400],
  ['readable in two ways', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}', 400],
  ['too long', JSON.stringify(toolCall(1, 'x'.repeat(300))), 413],
])('a body that is %s is refused, so that no call goes unrecorded', async (_name, body, status) => {
  const { post } = await serveObserved(json(result()), { options: { maxBodyBytes: 200 } });
  expect((await post(body)).status).toBe(status);
});

test('while nothing listens, requests pass unread', async () => {
  const { post, records } = await serveObserved((req, res) => void res.end(String(req.body)), {
    options: { onCall: undefined },
  });
  expect(await (await post('not JSON')).text()).toBe('undefined');
  expect(records).toEqual([]);
});

test('a client that leaves before its body is complete has made no call', async () => {
  const { url, records, post } = await serveObserved(json(result()));
  const half = request(url, { method: 'POST', headers: { 'content-type': 'application/json', 'content-length': 100 } });
  half.on('error', () => undefined).write('{"jsonrpc":"2.0"');
  await once(half, 'socket');
  half.destroy();
  await (await post(toolCall())).text();
  await until(() => records.length > 0);
  expect(records).toHaveLength(1);
});
