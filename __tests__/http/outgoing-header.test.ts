import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect as dial } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dropFromOtherParts, visitHeader } from '../../src/http/outgoing-header.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { sendRaw } from '../support/raw-request.js';

const NAME = 'mcp-session-id';

type Answer = (res: ServerResponse) => void;
interface OldResponse {
  writeHeader: ServerResponse['writeHead'];
}

/** Ways in which applications answer, all with the id `own`. */
const ANSWERS: readonly [how: string, answer: Answer][] = [
  ['setHeader() and end()', (res) => void res.setHeader(NAME, 'own').end('body')],
  ['setHeader() in capitals and end()', (res) => void res.setHeader('MCP-Session-Id', 'own').end('body')],
  ['setHeader() and end() without a body', (res) => void res.setHeader(NAME, 'own').end()],
  [
    'setHeader() and write()',
    (res) => {
      res.setHeader(NAME, 'own').write('bo');
      res.end('dy');
    },
  ],
  [
    'setHeader() and flushHeaders()',
    (res) => {
      res.setHeader(NAME, 'own').flushHeaders();
      res.end('body');
    },
  ],
  ['setHeader() and writeHead()', (res) => void res.setHeader(NAME, 'own').writeHead(200).end('body')],
  [
    'setHeader() and writeHead() with others',
    (res) => void res.setHeader(NAME, 'own').writeHead(200, { a: 'b' }).end(),
  ],
  ['setHeaders()', (res) => void res.setHeaders(new Headers({ [NAME]: 'own' })).end('body')],
  ['appendHeader()', (res) => void res.appendHeader(NAME, 'own').end('body')],
  ['an object', (res) => void res.writeHead(200, { [NAME]: 'own', a: 'b' }).end('body')],
  ['an object, in capitals', (res) => void res.writeHead(200, { 'MCP-Session-Id': 'own' }).end('body')],
  ['an object with a list', (res) => void res.writeHead(200, { [NAME]: ['own'] }).end('body')],
  ['an object after a message', (res) => void res.writeHead(200, 'Fine', { [NAME]: 'own' }).end('body')],
  ['an object after an undefined message', (res) => void res.writeHead(200, undefined, { [NAME]: 'own' }).end()],
  ['an array', (res) => void res.writeHead(200, ['a', 'b', 'Mcp-Session-Id', 'own']).end('body')],
  ['an array after a message', (res) => void res.writeHead(200, 'Fine', [NAME, 'own']).end('body')],
  [
    'pairs',
    (res) =>
      void res
        .writeHead(200, [
          ['a', 'b'],
          [NAME, 'own'],
        ] as never)
        .end('body'),
  ],
  [
    'writeHeader(), the old name',
    (res) => void (res as unknown as OldResponse).writeHeader(200, { [NAME]: 'own' }).end(),
  ],
  [
    'an object over another value',
    (res) =>
      void res
        .setHeader(NAME, 'old')
        .writeHead(200, { [NAME]: 'own' })
        .end(),
  ],
  ['an array over another value', (res) => void res.setHeader(NAME, 'old').writeHead(200, [NAME, 'own']).end()],
];

interface Seen {
  readonly values: (string | undefined)[];
  readonly read: unknown[];
  readonly sent: string | null;
  readonly status: number;
}

/** Sends one request to a real server whose answers are visited. */
async function send(answer: Answer, visit = (value: string | undefined) => value && `signed-${value}`): Promise<Seen> {
  const values: (string | undefined)[] = [];
  const read: unknown[] = [];
  const server = createServer((_req, res) => {
    visitHeader(res, NAME, (value) => {
      values.push(value);
      return visit(value);
    });
    answer(res);
    read.push(res.getHeader(NAME), res.getHeader('Mcp-Session-Id'));
  });
  await listen(server);
  onTestFinished(() => stop(server));
  const response = await fetch(originOf(server));
  await response.text();
  return { values, read, sent: response.headers.get(NAME), status: response.status };
}

describe('an answer with a session id', () => {
  test.each(ANSWERS)('reaches the client with another one: %s', async (_how, answer) => {
    const { values, sent, status } = await send(answer);
    expect({ values, sent, status }).toEqual({ values: ['own'], sent: 'signed-own', status: 200 });
  });

  test.each(ANSWERS)('leaves the application what it has set, if anything: %s', async (_how, answer) => {
    const plain = await send(answer, (value) => value);
    expect(plain.sent).toBe('own');
    expect((await send(answer)).read.map(String)).toEqual(plain.read.map(String));
  });
});

test.each<[how: string, answer: Answer, status: number]>([
  ['end()', (res) => void res.end(), 200],
  ['writeHead()', (res) => void res.writeHead(404).end(), 404],
  ['writeHead() with other headers', (res) => void res.writeHead(202, { a: 'b' }).end(), 202],
  ['a status alone', (res) => void Object.assign(res, { statusCode: 503 }).end(), 503],
])('an answer without one is seen too, with its status: %s', async (_how, answer, expected) => {
  const { values, sent, status } = await send(answer);
  expect({ values, sent, status }).toEqual({ values: [undefined], sent: null, status: expected });
});

test('a head that Node refuses is written with the right id afterwards', async () => {
  const { sent, status } = await send((res) => {
    res.setHeader(NAME, 'own');
    expect(() => res.writeHead(200, 'a\nb')).toThrow('Invalid character');
    expect(res.getHeader(NAME)).toBe('own');
    expect(() => res.writeHead(9)).toThrow('Invalid status code');
    res.writeHead(500, 'Failed').end();
  });
  expect({ sent, status }).toEqual({ sent: 'signed-own', status: 500 });
});

test('a second head is refused by Node as ever', async () => {
  const seen = await send((res) => {
    res.writeHead(200, { [NAME]: 'own' });
    expect(() => res.writeHead(200, { [NAME]: 'other' })).toThrow(
      expect.objectContaining({ code: 'ERR_HTTP_HEADERS_SENT' }),
    );
    res.end();
  });
  expect(seen.values).toEqual(['own']);
});

test('wrapped twice, both see the value of what is above', async () => {
  const { sent } = await send((res) => {
    visitHeader(res, NAME, (value) => `inner-${value}`);
    res.setHeader(NAME, 'own').end();
    expect(res.getHeader(NAME)).toBe('own');
  });
  expect(sent).toBe('signed-inner-own');
});

test('HTTP/2 answers are visited too', async () => {
  const server = createHttp2Server((_req, res) => {
    visitHeader(res as unknown as ServerResponse, NAME, (value) => value && `signed-${value}`);
    res.setHeader(NAME, 'own');
    res.end('body');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => {
    session.close();
    server.close();
  });
  const stream = session.request({ ':path': '/' });
  const headers = await new Promise<Record<string, unknown>>((resolve) => stream.once('response', resolve));
  stream.resume();
  expect(headers[NAME]).toBe('signed-own');
});

describe('dropFromOtherParts()', () => {
  const link = '</a>; rel=preload';
  const hints = { link, [NAME]: 'own', 'MCP-Session-Id': 'own', 'x-hint': 'kept' };
  const withTrailers =
    (trailers: unknown): Answer =>
    (res) => {
      res.writeHead(200, { trailer: 'x-last' }).write('body');
      res.addTrailers(trailers as Record<string, string>);
      res.end();
    };
  test.each<[how: string, answer: Answer, kept: string]>([
    ['writeEarlyHints()', (res) => void res.writeEarlyHints(hints, () => res.end('body')), 'x-hint: kept'],
    ['addTrailers()', withTrailers({ 'Mcp-Session-Id': 'own', 'x-last': 'kept' }), 'x-last: kept'],
    [
      'addTrailers() with pairs',
      withTrailers([
        ['x-last', 'kept'],
        [NAME, 'own'],
      ]),
      'x-last: kept',
    ],
  ])('%s', async (_how, answer, kept) => {
    const server = createServer((_req, res) => {
      dropFromOtherParts(res, NAME);
      answer(res);
    });
    await listen(server);
    onTestFinished(() => stop(server));
    const text = await sendRaw(originOf(server), 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(text).toContain(kept);
    expect(text).not.toMatch(/own/);
  });
});

test('HTTP/2 trailers have no such header', async () => {
  const server = createHttp2Server((_req, res) => {
    dropFromOtherParts(res as unknown as ServerResponse, NAME);
    const { setTrailer } = res as unknown as { setTrailer(name: string, value: string): void };
    setTrailer.call(res, NAME, 'own');
    setTrailer.call(res, 'x-last', 'kept');
    res.addTrailers({ [NAME]: 'own' });
    res.end('body');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => {
    session.close();
    server.close();
  });
  const stream = session.request({ ':path': '/' });
  const trailers = new Promise<Record<string, unknown>>((resolve) => stream.once('trailers', resolve));
  stream.resume();
  expect(Object.keys(await trailers)).toEqual(['x-last']);
});

test('an HTTP/1.0 client gets it as well', async () => {
  const server = createServer((_req: IncomingMessage, res) => {
    visitHeader(res, NAME, (value) => value && `signed-${value}`);
    res.setHeader(NAME, 'own').end('body');
  });
  await listen(server);
  onTestFinished(() => stop(server));
  const socket = dial((server.address() as AddressInfo).port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => (text += chunk)).write('GET / HTTP/1.0\r\n\r\n');
  await new Promise((resolve) => socket.once('close', resolve));
  expect(text).toMatch(/^mcp-session-id: signed-own\r$/m);
});
