import type { ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { call, type Headers, listen, open, post } from '../support/mcp-requests.js';
import { answerEvent, beginEvents, startSessionTarget } from '../support/remote-target.js';
import { serveTargets } from '../support/several-backend.js';
import { fixture, NODE } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const event = (message: object) => `data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`;
const LOG = { method: 'notifications/message', params: { level: 'info', data: 'of ask' } };
const QUESTION = { id: 'q', method: 'elicitation/create', params: { message: 'Sure?' } };
const CANCELLED = { method: 'notifications/cancelled', params: { requestId: 'q' } };

/** A remote server whose tool `ask` says something on its stream, while `wait` stays open until then. */
async function startAskingTarget() {
  let waiting: { id: unknown; res: ServerResponse } | undefined;
  const target = await startSessionTarget(({ id, params }, res) => {
    if (params.name === 'wait') waiting = { id, res: beginEvents(res, ': waits\n\n') };
    else {
      beginEvents(res, [LOG, QUESTION, CANCELLED].map(event).join('') + answerEvent(id)).end();
      waiting?.res.end(answerEvent(waiting.id));
    }
  });
  return { url: target.url, isWaiting: () => waiting !== undefined };
}

const methodsOn = (text: string) => [...text.matchAll(/"method":"([^"]+)"/g)].map(([, method]) => method);

test.each<[what: string, isOne: boolean, listens: boolean]>([
  ['one target', true, false],
  ['one target, and the client listens', true, true],
  ['several targets', false, false],
  ['several targets, and the client listens', false, true],
])('what a remote server sends on the stream of a call comes on that stream: %s', async (_what, isOne, listens) => {
  const { url, isWaiting } = await startAskingTarget();
  const other = { command: NODE, args: [fixture('plain-target.mjs')] };
  const served = await serveTargets({ targets: isOne ? { a: { url } } : { a: { url }, b: other } });
  const session: Headers = await open(served.url);
  if (listens) await listen(served.url, session);
  const prefix = isOne ? '' : 'a_';
  const waits = post(served.url, call('wait', `${prefix}wait`), session);
  await until(isWaiting);
  const asked = await (await post(served.url, call('ask', `${prefix}ask`), session)).text();
  expect(methodsOn(asked)).toEqual([LOG.method, QUESTION.method, CANCELLED.method]);
  expect(methodsOn(await (await waits).text())).toEqual([]);
});

test('what a remote server sends on the rest of a stream, which the bridge resumes, comes on the stream of that call', async () => {
  let waiting: ServerResponse | undefined;
  let asking: unknown;
  const target = await startSessionTarget(
    ({ id, params }, res) => {
      if (params.name === 'wait') waiting = beginEvents(res, ': waits\n\n');
      else {
        asking = id;
        beginEvents(res, 'id: 1\nretry: 10\ndata: \n\n').end();
      }
    },
    (res, { headers }) => {
      if (headers['last-event-id'] === undefined) res.writeHead(405).end();
      else beginEvents(res, event(QUESTION) + answerEvent(asking)).end();
    },
  );
  const { url } = await serveTargets({ targets: { a: { url: target.url } } });
  const session = await open(url);
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  void post(url, call('wait', 'wait'), session, stop.signal).catch(() => undefined);
  await until(() => waiting !== undefined);
  const asked = await post(url, call('ask', 'ask'), session);
  expect(methodsOn(await asked.text())).toEqual([QUESTION.method]);
});

test('what a program sends comes on the stream of its own call, and not of a call to another target', async () => {
  const target = { command: NODE, args: [fixture('plain-target.mjs')] };
  const { url } = await serveTargets({ targets: { a: target, b: target } });
  const session = await open(url);
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const line = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: '' } });
  // Its stream begins with the message, and stays open.
  await post(url, call('wait', 'a_print', { line }), session, stop.signal);
  const asked = await post(url, call('ask', 'b_ask-and-cancel'), session);
  expect(methodsOn(await asked.text())).toEqual(['roots/list', 'notifications/cancelled']);
});
