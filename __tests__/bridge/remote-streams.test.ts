import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { eventsOf, messagesOf, nextMessage, reasonOf } from '../support/mcp-answers.js';
import { call, open, post } from '../support/mcp-requests.js';
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
const INITIALIZED = { jsonrpc: '2.0', method: 'notifications/initialized' };

describe('a remote server that answers 404 to GET', () => {
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
    ['with a batch', (id: unknown) => `data: [ {"jsonrpc":"2.0","id":${id},"result":{}}]\n\n`],
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

  test.each([400, 404, 405])('that cannot be resumed (%s) fails its request alone, and is logged', async (status) => {
    const target = await startSessionTarget(
      ({ id, params }, res) => {
        if (params.name === 'bad') beginEvents(res, 'id: seven\nretry: 1\ndata:\n\n').end();
        else setTimeout(() => replyJson(res, id, {}), 300);
      },
      (res) => res.writeHead(status).end(),
    );
    const { url, lines } = await serveTarget(target.url);
    const session = await open(url, ADA);
    const [bad, good] = await Promise.all(['bad', 'good'].map((name) => post(url, call(name, name), session)));
    expect(await bad?.json()).toMatchObject({
      id: 'bad',
      error: { code: -32603, data: { reason: 'target_broke_off' } },
    });
    expect(await good?.json()).toMatchObject({ id: 'good', result: {} });
    expect(target.arrived.filter(({ method }) => method === 'GET')).toHaveLength(1);
    expect(lines.join('\n')).toContain('(target_broke_off)');
  });

  test('that stays open after the answer holds no connection', async () => {
    const target = await startSessionTarget(({ id }, res) => void beginEvents(res, answerEvent(id)));
    let connections = 0;
    target.server.on('connection', (socket) => {
      connections++;
      socket.on('close', () => connections--);
    });
    const { url, backend } = await serveTarget(target.url);
    const session = await open(url, ADA);
    for (let id = 1; id <= 5; id++) expect(await messagesOf(await post(url, call(id, 'x'), session))).toHaveLength(1);
    await until(() => connections <= 1, 5_000);
    expect(backend.stats()).toMatchObject({ sessions: 1, connections: 1, pending: 0 });
  });

  test('that ends after the answer leaves its connection to the next request', async () => {
    const target = await startSessionTarget(({ id }, res) => {
      beginEvents(res, answerEvent(id));
      setTimeout(() => res.end(), 20);
    });
    const { url } = await serveTarget(target.url);
    const session = await open(url, ADA);
    for (let id = 1; id <= 3; id++) {
      await messagesOf(await post(url, call(id, 'x'), session));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(target.connections).toBe(1);
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
    await post(url, INITIALIZED, session);
    const stream = await fetch(url, { headers: { ...session, accept: 'text/event-stream' } });
    await until(() => opened === 2);
    const chunk = await stream.body?.getReader().read();
    expect(Buffer.from(chunk?.value ?? []).toString()).toContain('roots/list');
    await post(url, { jsonrpc: '2.0', id: 'q', result: { roots: [] } }, session);
    await until(() => target.arrived.some(({ body }) => body.includes('"roots":[]')));
  });

  test.each([
    [409, 'seven'],
    [429, 'seven'],
    [400, undefined],
  ])('of a session is opened again after a break and then %s, and the log says so', async (status, after) => {
    const target = await startSessionTarget(
      ({ id }, res) => replyJson(res, id, {}),
      (res) => {
        const opened = gets().length;
        if (opened === 1) beginEvents(res, 'retry: 1\nid: seven\ndata:\n\n').end();
        else if (opened === 2) res.writeHead(status).end();
        else beginEvents(res, 'data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n');
      },
    );
    const gets = () => target.arrived.filter(({ method }) => method === 'GET');
    const { url, lines } = await serveTarget(target.url);
    const session = await open(url, ADA);
    await post(url, INITIALIZED, session);
    const stream = await fetch(url, { headers: { ...session, accept: 'text/event-stream' } });
    expect(await nextMessage(eventsOf(stream))).toMatchObject({ method: 'notifications/tools/list_changed' });
    expect(gets().map(({ headers }) => headers['last-event-id'])).toEqual([undefined, 'seven', after]);
    expect(lines.at(-1)).toMatch(
      new RegExp(`^error .*\\(target_failed\\): status ${status}: in answer to the GET of an event stream$`),
    );
  });

  test.each([
    ['', [undefined, undefined]],
    ['id: seven\ndata:\n\n', [undefined, 'seven', undefined]],
  ])('of a session that was open, and then 404, ends the session; first %j', async (event, ids) => {
    let opened = 0;
    const target = await startSessionTarget(
      ({ id }, res) => replyJson(res, id, {}),
      (res) => {
        opened += 1;
        if (opened === 1) beginEvents(res, `retry: 1\n${event}\n\n`).end();
        else res.writeHead(404).end();
      },
    );
    const { url } = await serveTarget(target.url);
    const session = await open(url, ADA);
    await post(url, INITIALIZED, session);
    await until(() => opened === ids.length);
    await expect.poll(async () => (await post(url, call(1, 'x'), session)).status).toBe(404);
    const gets = target.arrived.filter(({ method }) => method === 'GET');
    expect(gets.map(({ headers }) => headers['last-event-id'])).toEqual(ids);
  });

  test.each([400, 405, 406])('that a server refuses from the beginning (%s) is asked for once', async (status) => {
    const target = await startSessionTarget(
      ({ id }, res) => replyJson(res, id, {}),
      (res) => res.writeHead(status).end(),
    );
    const { url } = await serveTarget(target.url);
    const session = await open(url, ADA);
    await post(url, INITIALIZED, session);
    await until(() => target.arrived.some(({ method }) => method === 'GET'));
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    expect(target.arrived.filter(({ method }) => method === 'GET')).toHaveLength(1);
  });
});
