import type { RequestListener, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { CallContent, McpHttpBackendOptions } from '../../src/index.js';
import { serveRemote } from '../support/http-backend.js';
import { unreachableUrl } from '../support/loopback-server.js';
import { call, initialize, post } from '../support/mcp-requests.js';
import { failure, result } from '../support/observed-app.js';
import { createRecordedCalls } from '../support/recorded-calls.js';
import { startRecordingTarget, startTarget } from '../support/recording-target.js';
import { until } from '../support/until.js';

async function serve(url: string, options: Partial<McpHttpBackendOptions> = {}) {
  const { records, onCall } = createRecordedCalls();
  const remote = await serveRemote(url, { onCall, ...options });
  return { ...remote, records, ada: remote.bearer('ada', { clientId: 'agent' }) };
}

const bytesOf = (message: object) => Buffer.byteLength(JSON.stringify(message));
const reply =
  (type: string, body: string, status = 200) =>
  (res: ServerResponse) =>
    void res.writeHead(status, { 'content-type': type }).end(body);
const json = (message: object, status = 200) => reply('application/json', JSON.stringify(message), status);
const event = (message: object) => `data: ${JSON.stringify(message)}\n\n`;
const notice = { jsonrpc: '2.0', method: 'notifications/progress', params: {} };

test.each<[string, (res: ServerResponse) => void, object]>([
  ['a result', json(result()), { outcome: 'answered', code: undefined, bytesOut: bytesOf(result()) }],
  ['a tool error', json(result(1, { isError: true })), { outcome: 'tool_error' }],
  ['an error', json(failure()), { outcome: 'protocol_error', code: -32602 }],
  ['an error without an id', json(failure(null, -32000), 400), { outcome: 'protocol_error', code: -32000 }],
  [
    'an event stream',
    reply('text/event-stream', event(notice) + event(result())),
    { outcome: 'answered', bytesOut: bytesOf(result()) },
  ],
  ['an event stream without an answer', reply('text/event-stream', event(notice)), { outcome: 'target_failed' }],
  ['something that is not JSON', reply('application/json', 'x'), { outcome: 'target_failed', bytesOut: 1 }],
  ['429', reply('text/plain', 'later', 429), { outcome: 'limited' }],
  ['500', reply('text/plain', 'no', 500), { outcome: 'target_failed', code: 'target_failed' }],
  ['401', reply('text/plain', 'no', 401), { outcome: 'target_failed', code: 'target_refused' }],
  [
    'an answer that breaks off',
    (res) => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 }).write('{"id":1,');
      setImmediate(() => res.destroy());
    },
    { outcome: 'target_failed', code: 'target_broke_off' },
  ],
])('a remote server that answers with %s', async (_name, answer, record) => {
  const target = await startRecordingTarget((_arrived, res) => answer(res));
  const { url, ada, records } = await serve(target.url);
  const sent = call(1, 'echo');
  await post(url, sent, ada)
    .then((response) => response.text())
    .catch(() => undefined);
  await until(() => records.length > 0);
  expect(records).toMatchObject([
    { route: '/mcp', method: 'tools/call', name: 'echo', user: 'ada', client: 'agent', credential: 'jwt', ...record },
  ]);
  expect(records[0]?.bytesIn).toBe(
    Number(target.arrived[0]?.headers['content-length'] ?? target.arrived[0]?.body.length),
  );
});

describe('a remote server that does not answer', () => {
  test('because it is down', async () => {
    const { url, ada, records } = await serve(await unreachableUrl());
    await (await post(url, call(1, 'echo'), ada)).text();
    expect(records).toMatchObject([{ outcome: 'target_failed', code: 'target_unreachable' }]);
  });

  test.each<[string, RequestListener, object]>([
    ['but hangs up', (req) => req.socket.destroy(), { outcome: 'target_failed', code: 'target_broke_off' }],
    ['with HTTP', (req) => req.socket.end('SSH-2.0\r\n'), { outcome: 'target_failed', code: 'target_malformed' }],
  ])('%s', async (_name, listener, record) => {
    const target = await startTarget(listener);
    const { url, ada, records } = await serve(target.url);
    await (await post(url, call(1, 'echo'), ada)).text();
    expect(records).toMatchObject([record]);
  });

  test.each([
    ['before', undefined],
    ['after', { 'content-type': 'text/event-stream' }],
  ])('to a client that leaves %s the head', async (_name, head) => {
    const target = await startTarget((_req, res) => head && res.writeHead(200, head).flushHeaders());
    const { url, ada, records } = await serve(target.url);
    const abort = new AbortController();
    const sent = post(url, call(1, 'echo'), ada, abort.signal).then((response) => response.text());
    await until(() => target.connections > 0);
    if (head !== undefined) await new Promise((resolve) => setTimeout(resolve, 50));
    abort.abort();
    await expect(sent).rejects.toThrow();
    await until(() => records.length > 0);
    expect(records).toMatchObject([{ outcome: 'cancelled', code: 'cancelled' }]);
  });

  test('before the backend closes', async () => {
    const target = await startTarget(() => undefined);
    const { url, ada, records, backend } = await serve(target.url);
    const sent = post(url, call(1, 'echo'), ada);
    await until(() => target.connections > 0);
    await backend.close();
    expect((await sent).status).toBe(503);
    expect(records).toMatchObject([{ outcome: 'cancelled', code: 'closing' }]);
  });
});

test('a batch has a record for each request, and what is no call has none', async () => {
  const target = await startRecordingTarget((_arrived, res) => json([failure('2'), result(1)])(res));
  const { url, ada, records } = await serve(target.url);
  const batch = [
    call(1, 'a'),
    notice,
    result(5),
    { ...call(1, 'b'), id: '2' },
    { jsonrpc: '2.0', id: null, method: 'x' },
  ];
  await (await post(url, batch, ada)).text();
  await (await post(url, notice, ada)).text();
  await (await post(url, 'no JSON', ada)).text();
  expect(records.map(({ name, outcome }) => [name, outcome])).toEqual([
    ['b', 'protocol_error'],
    ['a', 'answered'],
  ]);
  expect(records.map(({ bytesIn }) => bytesIn)).toEqual([bytesOf(batch[3] as object), bytesOf(batch[0] as object)]);
});

test('the record of initialize has the session that it opens, and those of its calls have it too', async () => {
  const target = await startRecordingTarget();
  const { url, ada, records } = await serve(target.url);
  const session = (await post(url, initialize(), ada)).headers.get('mcp-session-id') as string;
  await (await post(url, call(2, 'echo'), { ...ada, 'mcp-session-id': session })).text();
  await (await post(url, call(3, 'echo'), { ...ada, 'mcp-session-id': 'unknown' })).text();
  expect(records.map(({ method, session: id }) => [method, id])).toEqual([
    ['initialize', session],
    ['tools/call', session],
  ]);
});

const CALL = JSON.stringify(call(1, 'echo'));
const utf32 = (text: string) => Buffer.from(Uint32Array.from(text, (c) => c.codePointAt(0) as number).buffer);
test.each<[string, Buffer]>([
  ['with a byte order mark', Buffer.from(`\ufeff${CALL}`)],
  ['in UTF-16', Buffer.from(CALL, 'utf16le')],
  ['in UTF-16 with a byte order mark', Buffer.from(`\ufeff${CALL}`, 'utf16le')],
  ['in UTF-16, high bytes first', Buffer.from(CALL, 'utf16le').swap16()],
  ['in UTF-16, high bytes first, with a byte order mark', Buffer.from(`\ufeff${CALL}`, 'utf16le').swap16()],
  ['in UTF-32', utf32(CALL)],
  ['in UTF-32 with a byte order mark', utf32(`\ufeff${CALL}`)],
  ['in UTF-32, high bytes first', utf32(CALL).swap32()],
  ['with a number that JSON does not have', Buffer.from(CALL.replace('"arguments":{}', '"arguments":{"a":NaN}'))],
  ['in a batch that is not JSON', Buffer.from(`[${CALL}, {"a": -Infinity}]`)],
])('a call %s, which targets in Python accept, is recorded', async (_how, body) => {
  const target = await startRecordingTarget((_arrived, res) => json(result())(res));
  const { url, ada, records } = await serve(target.url);
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...ada };
  await (await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) })).text();
  expect(target.bytes()).toContain(body.toString('latin1').slice(2, -2));
  await until(() => records.length > 0);
  expect(records).toMatchObject([{ method: 'tools/call', name: 'echo', user: 'ada', outcome: 'answered' }]);
});

test('a long message is forwarded unchanged, and recorded', async () => {
  const target = await startRecordingTarget((_arrived, res) => json(result())(res));
  const { url, ada, records } = await serve(target.url);
  const sent = JSON.stringify({ ...call(1, 'echo'), more: 'é'.repeat(500_000) });
  await (await post(url, sent, ada)).text();
  expect(target.arrived[0]?.body).toBe(sent);
  expect(records).toMatchObject([{ outcome: 'answered', bytesIn: Buffer.byteLength(sent) }]);
});

test('of a long name, the record has the beginning; what is not a text is no name', async () => {
  const target = await startRecordingTarget((_arrived, res) => json(result())(res));
  const { url, ada, records } = await serve(target.url);
  await (await post(url, { ...call(1, 'x'), params: { name: { a: 1 } } }, ada)).text();
  await (await post(url, call(1, 'x'.repeat(100_000)), ada)).text();
  expect(records).toMatchObject([{ name: undefined }, { name: `${'x'.repeat(1_000)}…` }]);
});

test('recordContent gets arguments and result, and the record what it returns', async () => {
  const contents: CallContent[] = [];
  const answers = [result(1, { content: [1] }), result(1, { content: ['x'.repeat(70_000)] })];
  const target = await startRecordingTarget((_arrived, res) => json(answers.shift() as object)(res));
  const { url, ada, records } = await serve(target.url, {
    recordContent: (content) => {
      contents.push(content);
      return { is: 'short' };
    },
  });
  for (const text of ['a', 'b']) await (await post(url, call(1, 'echo', { text }), ada)).text();
  expect(contents.map(({ params, result: answer }) => [params.arguments, answer])).toEqual([
    [{ text: 'a' }, { content: [1] }],
    [{ text: 'b' }, undefined],
  ]);
  expect(records.map(({ content }) => content)).toEqual([{ is: 'short' }, { is: 'short' }]);
});
