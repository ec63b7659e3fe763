import { expect, test } from 'vitest';
import { messagesOf } from '../support/mcp-answers.js';
import { call, open, post } from '../support/mcp-requests.js';
import { answerEvent, beginEvents, serveTarget, startSessionTarget } from '../support/remote-target.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };
const HEARTBEAT = 'event: ping\nid: 7\ndata: {"t":1}\n\n';
const NOTE = 'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n';

test('heartbeats of a remote server, events with a name, are skipped and not logged', async () => {
  const target = await startSessionTarget(
    ({ id }, res) => beginEvents(res, HEARTBEAT + NOTE + answerEvent(id) + HEARTBEAT).end(),
    (res) => void beginEvents(res, HEARTBEAT.repeat(3)),
  );
  const { url, lines } = await serveTarget(target.url);
  const session = await open(url, ADA);
  await post(url, { jsonrpc: '2.0', method: 'notifications/initialized' }, session);
  await until(() => target.arrived.some(({ method }) => method === 'GET'));
  const messages = await messagesOf(await post(url, call(1, 'x'), session));
  expect(messages.at(-1)).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
  expect(lines).toEqual([]);
});
