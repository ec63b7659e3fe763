import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { messagesOf, reasonOf } from '../support/mcp-answers.js';
import { call, open, post } from '../support/mcp-requests.js';
import { answerEvent, beginEvents, serveTarget, startSessionTarget } from '../support/remote-target.js';

const ADA = { authorization: 'Bearer ada' };

test('an answer whose stream the server closes after each poll is resumed while each poll brings a new event id', async () => {
  let polls = 0;
  const target = await startSessionTarget(
    (_message, res) => void beginEvents(res, 'id: 0\nretry: 1\ndata:\n\n').end(),
    (res, { headers }) => {
      if (headers['last-event-id'] === undefined) res.writeHead(405).end();
      else if (++polls < 6) beginEvents(res, `id: ${polls}\nretry: 1\ndata:\n\n`).end();
      else beginEvents(res, answerEvent(1, { after: headers['last-event-id'] })).end();
    },
  );
  const { url } = await serveTarget(target.url);
  expect(await messagesOf(await post(url, call(1, 'x'), await open(url, ADA)))).toEqual([
    { jsonrpc: '2.0', id: 1, result: { after: '5' } },
  ]);
});

test('an answer whose stream brings the same event id again and again fails its request', async () => {
  const poll = (res: ServerResponse) => void beginEvents(res, 'id: 0\nretry: 1\ndata:\n\n').end();
  const target = await startSessionTarget((_message, res) => poll(res), poll);
  const { url } = await serveTarget(target.url);
  expect(await reasonOf(await post(url, call(1, 'x'), await open(url, ADA)))).toBe('target_broke_off');
  expect(target.arrived.filter(({ method }) => method === 'GET')).toHaveLength(5);
});
