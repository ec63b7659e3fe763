import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { unreachableUrl } from '../support/loopback-server.js';
import { messagesOf, reasonOf } from '../support/mcp-answers.js';
import { call, initialize, open, post, postStateless, statelessRequest } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import {
  type AnswerCall,
  answerEvent,
  beginEvents,
  replyJson,
  serveTarget,
  startSessionTarget,
} from '../support/remote-target.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };

type Fault = (res: ServerResponse, id: unknown) => void;

const FAULTS: readonly [how: string, fault: Fault, status: number, reason: string][] = [
  ['answers 401', (res) => res.writeHead(401).end(), 502, 'target_refused'],
  ['answers 307', (res) => res.writeHead(307, { location: 'https://evil.example' }).end(), 502, 'target_redirected'],
  ['answers 503', (res) => res.writeHead(503).end('stack'), 502, 'target_failed'],
  ['answers 400 with text', (res) => res.writeHead(400).end('bad'), 502, 'target_malformed'],
  ['answers 202', (res) => res.writeHead(202).end(), 502, 'target_malformed'],
  ['packs its answer', (res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end('x'), 502, 'target_malformed'],
  ['breaks off', (res) => res.destroy(), 502, 'target_broke_off'],
  ['ends an event stream without an answer', (res) => beginEvents(res, ': nothing\n\n').end(), 502, 'target_broke_off'],
  [
    'breaks off an event stream',
    (res) => beginEvents(res, ': x\n\n') && setTimeout(() => res.destroy(), 20),
    502,
    'target_broke_off',
  ],
  ['sends too much', (res, id) => replyJson(res, id, { text: 'x'.repeat(2_000) }), 502, 'message_too_large'],
];

describe.each(FAULTS)('a remote server that %s', (_how, fault, status, reason) => {
  const options = { maxMessageBytes: 1_000, startTimeoutSeconds: 5 };

  test(`cannot be opened: ${status} ${reason}`, async () => {
    const target = await startRecordingTarget(({ body }, res) => fault(res, body === '' ? 0 : JSON.parse(body).id));
    const { url, backend, lines } = await serveTarget(target.url, {}, options);
    const response = await post(url, initialize('2025-06-18', 'mine'), ADA);
    expect([response.status, await response.json()]).toMatchObject([
      status,
      { id: 'mine', error: { data: { reason } } },
    ]);
    expect(response.headers.get('mcp-session-id')).toBeNull();
    await until(() => backend.stats().connections === 0);
    if (reason.startsWith('target_')) {
      expect(lines).toEqual([
        expect.stringMatching(new RegExp(`^error mcpBackend\\(\\): one: ${target.url}: .*\\(${reason}\\)`)),
      ]);
    }
  });

  test('fails a call of a session that goes on', async () => {
    const target = await startSessionTarget(({ id, params }, res) => {
      if (params.name === 'bad') fault(res, id);
      else replyJson(res, id, {});
    });
    const { url } = await serveTarget(target.url, {}, options);
    const session = await open(url, ADA);
    const response = await post(url, call('mine', 'bad'), session);
    expect([response.status, await response.json()]).toMatchObject([200, { id: 'mine', error: { data: { reason } } }]);
    expect(await (await post(url, call(2, 'good'), session)).json()).toMatchObject({ id: 2, result: {} });
  });
});

test('a remote server that is down fails every request, and is used again when it is up', async () => {
  const { url, backend } = await serveTarget(await unreachableUrl());
  for (const message of [initialize('2025-06-18', 1), initialize('2025-06-18', 2)]) {
    const response = await post(url, message, ADA);
    expect([response.status, await reasonOf(response)]).toEqual([502, 'target_unreachable']);
  }
  const discover = await postStateless(url, statelessRequest(1, 'server/discover'), ADA);
  expect([discover.status, await reasonOf(discover)]).toEqual([502, 'target_unreachable']);
  expect(await backend.ready()).toBe(false);
  await until(() => backend.stats().connections === 0);
});

test('an error with the id null answers the request that it refuses', async () => {
  const target = await startSessionTarget((_message, res) =>
    res
      .writeHead(400, { 'content-type': 'application/json' })
      .end('{"jsonrpc":"2.0","error":{"code":-32600,"message":"no"},"id":null}'),
  );
  const { url } = await serveTarget(target.url);
  const response = await post(url, call('mine', 'x'), await open(url, ADA));
  expect(await response.json()).toEqual({ jsonrpc: '2.0', error: { code: -32600, message: 'no' }, id: 'mine' });
});

test('a session that the remote server no longer knows is unknown, and another one can be opened', async () => {
  const target = await startSessionTarget((_message, res) => res.writeHead(404).end());
  const { url, backend } = await serveTarget(target.url);
  const session = await open(url, ADA);
  expect(await reasonOf(await post(url, call(1, 'x'), session))).toBe('session_ended');
  expect((await post(url, call(2, 'x'), session)).status).toBe(404);
  await open(url, ADA);
  expect(backend.stats()).toMatchObject({ sessions: 1, connections: 1 });
  expect(target.arrived.some(({ method }) => method === 'DELETE')).toBe(false);
});

describe('a remote server that answers 404 to GET', () => {
  const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' };
  const notFound = (res: ServerResponse) => void res.writeHead(404).end();
  const startWithoutSessions = () =>
    startRecordingTarget(({ method, body }, res) => {
      if (method !== 'POST') return notFound(res);
      const { id, params } = JSON.parse(body);
      if (id === undefined) res.writeHead(202).end();
      else replyJson(res, id, { protocolVersion: params.protocolVersion });
    });

  test.each([
    ['with sessions', () => startSessionTarget(({ id }, res) => replyJson(res, id, {}), notFound)],
    ['without sessions', startWithoutSessions],
  ])('routes only POST, and serves calls: %s', async (_name, start) => {
    const target = await start();
    const { url, lines } = await serveTarget(target.url);
    const session = await open(url, ADA);
    await post(url, INITIALIZED, session);
    await until(() => target.arrived.some(({ method }) => method === 'GET'));
    for (const id of [1, 2])
      expect(await (await post(url, call(id, 'x'), session)).json()).toMatchObject({ result: {} });
    expect(target.arrived.filter(({ method }) => method === 'GET')).toHaveLength(1);
    expect(lines.filter((line) => /^(?:warn|error)/.test(line))).toEqual([]);
  });

  test('because the session is over, says so to the next call', async () => {
    const target = await startSessionTarget((_message, res) => notFound(res), notFound);
    const { url } = await serveTarget(target.url);
    const session = await open(url, ADA);
    await post(url, INITIALIZED, session);
    expect(await reasonOf(await post(url, call(1, 'x'), session))).toBe('session_ended');
    expect((await post(url, call(2, 'x'), session)).status).toBe(404);
  });
});

test('a session id that is not valid in a header is refused', async () => {
  const target = await startRecordingTarget((_arrived, res) => {
    res.setHeader('mcp-session-id', 'a b');
    replyJson(res, 0, { protocolVersion: '2025-06-18' });
  });
  const { url } = await serveTarget(target.url);
  expect(await reasonOf(await post(url, initialize(), ADA))).toBe('target_malformed');
});

describe('an event stream of a remote server', () => {
  const answered = async (answer: AnswerCall, options = {}) => {
    const target = await startSessionTarget(answer, (res, { headers }) =>
      headers['last-event-id'] === undefined
        ? res.writeHead(405).end()
        : beginEvents(res, answerEvent(1, { after: headers['last-event-id'] })).end(),
    );
    const { url } = await serveTarget(target.url, {}, options);
    return messagesOf(await post(url, call(1, 'x'), await open(url, ADA)));
  };

  test.each([
    [
      'with data on several lines',
      (id: unknown) => `data: {"jsonrpc":"2.0",\ndata:"id":${id},\ndata: "result":{}}\n\n`,
    ],
    [
      'with CRLF, comments and other fields',
      (id: unknown) => `: hi\r\nevent: message\r\nfoo\r\n${answerEvent(id).replaceAll('\n', '\r\n')}`,
    ],
    ['with an event without data before', (id: unknown) => `id: 1\ndata: \n\nretry: 5\n\n${answerEvent(id)}`],
  ])('%s is read', async (_how, textFor) => {
    expect(await answered(({ id }, res) => void beginEvents(res, textFor(id)).end())).toEqual([
      { jsonrpc: '2.0', id: 1, result: {} },
    ]);
  });

  test('in pieces of one byte is read', async () => {
    const text = answerEvent(1, { text: 'ä€😀' });
    const messages = await answered(async (_message, res) => {
      beginEvents(res);
      for (const byte of Buffer.from(text)) {
        res.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      res.end();
    });
    expect(messages).toEqual([{ jsonrpc: '2.0', id: 1, result: { text: 'ä€😀' } }]);
  });

  test.each([
    ['that ends', (res: ServerResponse) => void res.end()],
    ['that breaks off', (res: ServerResponse) => void setTimeout(() => res.destroy(), 20)],
  ])('%s before the answer is resumed after its last event', async (_how, stop) => {
    expect(await answered((_message, res) => stop(beginEvents(res, 'id: seven\nretry: 1\ndata:\n\n')))).toEqual([
      { jsonrpc: '2.0', id: 1, result: { after: 'seven' } },
    ]);
  });

  test('with an answer over the limit fails this request alone', async () => {
    const big = (id: unknown) => answerEvent(id, { text: 'x'.repeat(5_000) });
    const [answer] = await answered(({ id }, res) => void beginEvents(res, big(id)).end(), { maxMessageBytes: 1_000 });
    expect(answer).toMatchObject({ id: 1, error: { data: { reason: 'message_too_large' } } });
  });

  test('with something else than a message fails its request, and is logged', async () => {
    const target = await startSessionTarget(({ id }, res) =>
      beginEvents(res, `data: {"jsonrpc":"2.0","id":${id},"result":NaN}\n\n`).end(),
    );
    const { url, lines } = await serveTarget(target.url);
    expect(await reasonOf(await post(url, call(1, 'x'), await open(url, ADA)))).toBe('unreadable_answer');
    expect(lines).toContainEqual(
      expect.stringMatching(/^warn mcpBackend\(\): one: an answer of \d+ bytes is not an MCP message/),
    );
  });

  test('of a session is opened again, and a request of the server comes back answered', async () => {
    let opened = 0;
    const target = await startSessionTarget(
      ({ id }, res) => replyJson(res, id, {}),
      (res) => {
        const events = beginEvents(res, 'retry: 1\n\n');
        if (++opened === 1) events.end();
        else events.write('data: {"jsonrpc":"2.0","id":"q","method":"roots/list"}\n\n');
      },
    );
    const { url } = await serveTarget(target.url);
    const session = await open(url, ADA);
    await post(url, { jsonrpc: '2.0', method: 'notifications/initialized' }, session);
    const stream = await fetch(url, { headers: { ...session, accept: 'text/event-stream' } });
    await until(() => opened === 2);
    const chunk = await stream.body?.getReader().read();
    expect(Buffer.from(chunk?.value ?? []).toString()).toContain('roots/list');
    await post(url, { jsonrpc: '2.0', id: 'q', result: { roots: [] } }, session);
    await until(() => target.arrived.some(({ body }) => body.includes('"roots":[]')));
  });
});
