import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { eventsOf, nextMessage } from '../support/mcp-answers.js';
import { postStateless, statelessRequest } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { beginEvents, type Message, replyJson } from '../support/remote-target.js';
import { serveTargets } from '../support/several-backend.js';
import { type SeveralClient, several } from '../support/several-targets.js';
import { fixture, NODE } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
const notifications = { toolsListChanged: true };

async function subscribe(client: SeveralClient): Promise<string | number> {
  const id = client.start('subscriptions/listen', { notifications, _meta: META });
  await client.hear(ACKNOWLEDGED);
  return id;
}

/** Waits until the target can be called again. */
const isBack = (client: SeveralClient, name: string) =>
  until(async () => !(await client.text(`${name}_echo`)).startsWith('error'));

async function crash(client: SeveralClient, name: string): Promise<void> {
  const call = client.start('tools/call', { name: `${name}_crash` });
  await client.response(call);
}

test.each([
  ['without', ''],
  ['with', 'id: 1\nretry: 1\n'],
])('a remote target whose stream of a subscription breaks is asked again, %s event ids', async (_how, fields) => {
  const streams: { id: unknown; res: ServerResponse }[] = [];
  const notify = (index: number, method: string, params: object = {}): void => {
    const { id, res } = streams[index] as (typeof streams)[number];
    const message = { jsonrpc: '2.0', method, params: { ...params, _meta: { [SUBSCRIPTION]: id } } };
    res.write(`${fields}data: ${JSON.stringify(message)}\n\n`);
  };
  const remote = await startRecordingTarget(({ method: verb, body }, res) => {
    // As for older revisions: the stream has nothing of the subscription.
    if (verb === 'GET') return void beginEvents(res);
    const { id, method } = JSON.parse(body) as Message;
    if (method === 'subscriptions/listen') {
      streams.push({ id, res: beginEvents(res) });
      notify(streams.length - 1, ACKNOWLEDGED, { notifications });
    } else
      replyJson(res, id, { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: {} } });
  });
  const plain = { command: NODE, args: [fixture('plain-target.mjs')] };
  const { url } = await serveTargets({ targets: { one: plain, two: { url: remote.url } } });
  const request = statelessRequest(1, 'subscriptions/listen', { notifications });
  const events = eventsOf(await postStateless(url, request, { authorization: 'Bearer ada' }));
  expect(await nextMessage(events)).toMatchObject({ method: ACKNOWLEDGED });
  streams[0]?.res.destroy();
  await until(() => streams.length === 2);
  notify(1, 'notifications/tools/list_changed');
  expect(await nextMessage(events)).toMatchObject({ method: 'notifications/tools/list_changed' });
});

test('a target that ends its part is asked again while others go on', async () => {
  const client = several({ a: {}, b: {} }).connect();
  const id = await subscribe(client);
  await client.text('a_end-subscriptions');
  await until(async () => (await client.text('a_received')).split('"listen"').length === 3);
  await client.text('a_change');
  expect((await client.hear('notifications/tools/list_changed')).params._meta).toEqual({ [SUBSCRIPTION]: id });
  expect(client.find(id)).toBeUndefined();
});

test('a subscription goes on by itself when all targets have ended at once', async () => {
  const { connect, source } = several({ a: {}, b: {} });
  const client = connect();
  await subscribe(client);
  for (const name of ['a', 'b']) await crash(client, name);
  await until(() => source.size === 0);
  await until(() => source.size === 2);
  for (const name of ['a', 'b']) expect(await client.text(`${name}_received`)).toContain('"listen"');
});

test('a cancelled subscription is forgotten, also while no target has a part of it', async () => {
  const client = several({ a: {}, b: {} }).connect();
  const id = await subscribe(client);
  for (const name of ['a', 'b']) await crash(client, name);
  client.send({ method: 'notifications/cancelled', params: { requestId: id } });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  for (const name of ['a', 'b']) {
    await isBack(client, name);
    expect(await client.text(`${name}_received`)).toBe('[]');
  }
});
