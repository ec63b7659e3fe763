import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { eventsOf, messagesOf, nextMessage } from '../support/mcp-answers.js';
import { call, open, post } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { answerEvent, beginEvents, replyJson, serveTarget } from '../support/remote-target.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };
const ERROR = { code: -32_000, message: 'no' };

/**
 * A server that asks the client a question, under the id of a call that it has not answered. `refuse` answers the client's answer to it,
 * and `answerAll` the calls.
 */
async function startAsking(refuse: (res: ServerResponse, id: unknown) => void) {
  const open: (() => void)[] = [];
  let other: unknown;
  const target = await startRecordingTarget(({ method: verb, body }, res) => {
    if (verb !== 'POST') return void res.writeHead(405).end();
    const { id, method, params } = JSON.parse(body);
    if (method === undefined) refuse(res, id);
    else if (id === undefined) res.writeHead(202).end();
    else if (method === 'initialize') replyJson(res, id, { protocolVersion: params.protocolVersion, capabilities: {} });
    else if (params?.name === 'other') {
      other = id;
      open.push(() => replyJson(res, id, { of: 'other' }));
    } else if (params?.name === 'asks') {
      const question = { jsonrpc: '2.0', id: other, method: 'elicitation/create', params: {} };
      beginEvents(res, `data: ${JSON.stringify(question)}\n\n`);
      open.push(() => res.end(answerEvent(id, { of: 'asks' })));
    } else replyJson(res, id, {});
  });
  return { target, hasOther: () => other !== undefined, answerAll: () => open.map((answer) => answer()) };
}

const json = (res: ServerResponse, status: number, id: unknown, outcome: object): void =>
  void res
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }));

const eventOf = (message: object): string => `data: ${JSON.stringify(message)}\n\n`;
/** Longer than a message may be. */
const LONG = 'x'.repeat(20_000);

type Refusal = (res: ServerResponse, id: unknown) => void;
const REFUSALS: readonly [how: string, refuse: Refusal][] = [
  ['429 and the id null', (res) => json(res, 429, null, { error: ERROR })],
  ['400 and the id of its question', (res, id) => json(res, 400, id, { error: ERROR })],
  ['200 and an error', (res, id) => json(res, 200, id, { error: ERROR })],
  ['200 and a result', (res, id) => json(res, 200, id, { result: {} })],
  ['events and an error', (res, id) => void beginEvents(res, eventOf({ jsonrpc: '2.0', id, error: ERROR })).end()],
  [
    'events, an error and its id as text',
    (res, id) => void beginEvents(res, eventOf({ jsonrpc: '2.0', id: `${id}`, error: ERROR })).end(),
  ],
  ['events and no outcome', (res, id) => void beginEvents(res, eventOf({ jsonrpc: '2.0', id })).end()],
  [
    'events and much text',
    (res, id) => void beginEvents(res, eventOf({ jsonrpc: '2.0', id, error: { ...ERROR, data: LONG } })).end(),
  ],
  ['202 and JSON of its own', (res, id) => void res.writeHead(202).end(JSON.stringify({ id, result: 'accepted' }))],
];

describe.each([
  ['alone', false],
  ['one of two', true],
])('a remote server, %s, that asks the client', (_name, isOneOfTwo) => {
  test.each(REFUSALS)('and answers its answer with %s fails no call of the same number', async (_how, refuse) => {
    const { target, hasOther, answerAll } = await startAsking(refuse);
    const targets = { one: { url: target.url }, ...(isOneOfTwo && { two: { url: target.url } }) };
    const { url } = await serveTarget(target.url, {}, { targets, maxMessageBytes: 10_000 });
    const prefix = isOneOfTwo ? 'one_' : '';
    const session = await open(url, ADA);
    const stream = await fetch(url, { headers: { ...session, accept: 'text/event-stream' } });
    const other = post(url, call('other', `${prefix}other`), session);
    await until(hasOther);
    const asks = post(url, call('asks', `${prefix}asks`), session);
    const events = eventsOf(await asks);
    const { id } = await nextMessage(events);
    expect((await post(url, { jsonrpc: '2.0', id, result: { action: 'accept' } }, session)).status).toBe(202);
    await wait(100);
    answerAll();
    expect(await messagesOf(await other)).toEqual([{ jsonrpc: '2.0', id: 'other', result: { of: 'other' } }]);
    expect(await nextMessage(events)).toEqual({ jsonrpc: '2.0', id: 'asks', result: { of: 'asks' } });
    await stream.body?.cancel();
  });
});

test.each(['q', 'asks'])(
  'a server may answer a call on the stream that answers the answer to its question %s',
  async (q) => {
    const { target } = await startAsking((res) => void beginEvents(res, answerEvent('asks', { of: 'asks' })).end());
    const { url } = await serveTarget(target.url);
    const session = await open(url, ADA);
    const asks = post(url, call('asks', 'asks'), session);
    await until(() => target.arrived.some(({ body }) => body.includes('tools/call')));
    expect((await post(url, { jsonrpc: '2.0', id: q, result: {} }, session)).status).toBe(202);
    expect((await messagesOf(await asks)).at(-1)).toEqual({ jsonrpc: '2.0', id: 'asks', result: { of: 'asks' } });
  },
);

test('a server that refuses messages without an answer is logged, once a minute for each kind', async () => {
  const target = await startRecordingTarget(({ method: verb, body }, res) => {
    if (verb !== 'POST') return void res.writeHead(405).end();
    const { id, method, params } = JSON.parse(body);
    if (method !== 'initialize') return json(res, 400, null, { error: ERROR });
    replyJson(res, id, { protocolVersion: params.protocolVersion, capabilities: {} });
  });
  const { url, lines } = await serveTarget(`${target.url}?key=secret`);
  const session = await open(url, ADA);
  for (const message of [{ id: 7, result: {} }, { method: 'notifications/x' }]) {
    for (let i = 0; i < 2; i++) await post(url, { jsonrpc: '2.0', ...message }, session);
  }
  await until(() => target.arrived.filter(({ method }) => method === 'POST').length === 5 && lines.length >= 2);
  await wait(100);
  const refused = (what: string) => `warn mcpBackend(): one: ${target.url}: the MCP server refused ${what}: status 400`;
  expect(lines).toEqual([
    refused('an answer to its own request, which may go on waiting for it'),
    refused('a notification'),
  ]);
});
