import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { messagesOf, reasonOf } from '../support/mcp-answers.js';
import { call, initialize, open, post } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { beginEvents, replyJson, serveTarget, startSessionTarget } from '../support/remote-target.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };
const ERROR = { code: -32_602, message: 'Unknown tool: "z\\u00e9"', data: { n: 1 } };

const replyText = (res: ServerResponse, status: number, text: string): void =>
  void res.writeHead(status, { 'content-type': 'application/json' }).end(text);
const replyError = (res: ServerResponse, status: number, id: object): void =>
  replyText(res, status, JSON.stringify({ jsonrpc: '2.0', ...id, error: ERROR }, undefined, 1));

/** The ids of errors that name none of our requests. */
const IDS: readonly [title: string, id: object][] = [
  ['no id', {}],
  ['null', { id: null }],
  ['a text', { id: 'server-error' }],
  ['a number', { id: 4_711 }],
];
const STATUSES = [200, 400, 404, 422, 429];

describe.each(IDS)('an error of a remote server under %s, as the whole body', (_title, id) => {
  test.each([
    ['one target', ''],
    ['two targets', 'one_'],
  ])('answers its request: %s', async (_count, prefix) => {
    const target = await startSessionTarget(({ params }, res) => replyError(res, Number(params.name), id));
    const targets = { one: { url: target.url }, ...(prefix !== '' && { two: { url: target.url } }) };
    const { url, lines } = await serveTarget(target.url, {}, { targets });
    const session = await open(url, ADA);
    // 404 in a session ends it.
    for (const status of STATUSES.filter((each) => each !== 404)) {
      const [answer] = await messagesOf(await post(url, call(`mine ${status}`, `${prefix}${status}`), session));
      expect(answer).toEqual({ jsonrpc: '2.0', id: `mine ${status}`, error: ERROR });
    }
    expect(lines.filter((line) => line.includes('(target_'))).toEqual([]);
  });

  test('refuses initialize', async () => {
    const target = await startRecordingTarget((_arrived, res) => replyError(res, 400, id));
    const { url } = await serveTarget(target.url);
    expect(await (await post(url, initialize(), ADA)).json()).toEqual({ jsonrpc: '2.0', id: 0, error: ERROR });
  });
});

const OTHERS: readonly [what: string, answer: (res: ServerResponse) => void, reason: string][] = [
  ['a result under another id', (res) => replyJson(res, 'other', {}), 'target_malformed'],
  ['a result without an id', (res) => replyText(res, 200, '{"jsonrpc":"2.0","result":{}}'), 'target_malformed'],
  [
    'an error and a result',
    (res) => replyText(res, 200, JSON.stringify({ jsonrpc: '2.0', id: 'x', error: ERROR, result: {} })),
    'target_malformed',
  ],
  [
    'an error in a batch',
    (res) => replyText(res, 200, JSON.stringify([{ jsonrpc: '2.0', error: ERROR }])),
    'target_malformed',
  ],
  [
    'an error and text',
    (res) => replyText(res, 200, `${JSON.stringify({ jsonrpc: '2.0', error: ERROR })}x`),
    'target_malformed',
  ],
  [
    'an error without a code',
    (res) => replyText(res, 400, '{"jsonrpc":"2.0","error":{"message":"no"}}'),
    'target_malformed',
  ],
  ['an error that is text', (res) => replyText(res, 400, '{"jsonrpc":"2.0","error":"no"}'), 'target_malformed'],
  ['an error of another protocol', (res) => replyText(res, 400, JSON.stringify({ error: ERROR })), 'target_malformed'],
  [
    'an event with an error under another id',
    (res) => void beginEvents(res, `data: ${JSON.stringify({ jsonrpc: '2.0', id: 'other', error: ERROR })}\n\n`).end(),
    'target_broke_off',
  ],
];

test.each(OTHERS)('%s is no answer', async (_what, answer, reason) => {
  const target = await startSessionTarget((_message, res) => answer(res));
  const { url } = await serveTarget(target.url);
  expect(await reasonOf(await post(url, call('mine', 'x'), await open(url, ADA)))).toBe(reason);
});

test('an error under the id of another call answers the call whose body it is', async () => {
  let answerSlow: (() => void) | undefined;
  const target = await startSessionTarget(({ id, params }, res) => {
    if (params.name === 'slow') answerSlow = () => replyJson(res, id, {});
    else replyError(res, 400, { id: 'slow' });
  });
  const { url } = await serveTarget(target.url);
  const session = await open(url, ADA);
  const slow = post(url, call('slow', 'slow'), session);
  await until(() => answerSlow !== undefined);
  const [refused] = await messagesOf(await post(url, call('mine', 'x'), session));
  expect(refused).toEqual({ jsonrpc: '2.0', id: 'mine', error: ERROR });
  answerSlow?.();
  expect(await messagesOf(await slow)).toEqual([{ jsonrpc: '2.0', id: 'slow', result: {} }]);
});
