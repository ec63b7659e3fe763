import { expect, test } from 'vitest';
import { several } from '../support/several-targets.js';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';

test('server/discover: one server with the revisions that all speak', async () => {
  const client = several({ a: {}, b: { WITHOUT: 'resources' } }).connect();
  expect((await client.request('server/discover', { _meta: META })).result).toEqual({
    resultType: 'complete',
    supportedVersions: ['2026-07-28'],
    capabilities: {
      tools: { listChanged: true },
      prompts: {},
      resources: { subscribe: true },
      completions: {},
      logging: {},
      tasks: { list: {}, cancel: {} },
    },
    instructions: '# a\n\nUse a.\n\n# b\n\nUse b.',
    ttlMs: 1_000,
    cacheScope: 'public',
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'several', version: '1' } },
  });
});

test('a target that speaks revisions with sessions only: so do all together', async () => {
  const client = several({ a: {}, b: { WITHOUT: 'stateless' } }, { failureMode: 'failOpen' }).connect();
  expect((await client.request('server/discover', { _meta: META })).error.code).toBe(-32601);
});

test.each(['failClosed', 'failOpen'] as const)('server/discover without one target, %s', async (failureMode) => {
  const client = several({ a: {}, b: { FAILS: '1' } }, { failureMode }).connect();
  const { result, error } = await client.request('server/discover', { _meta: META });
  if (failureMode === 'failOpen') expect(result.instructions).toBe('# a\n\nUse a.');
  else expect(error.data).toEqual({ target: 'b', reason: 'child_exited' });
  expect(await client.text('a_echo')).toBe('a {}');
});

test('the bridge learns why a target did not answer', async () => {
  const client = several({ a: {}, b: { FAILS: '1' } }).connect();
  client.connection.isProbed = true;
  const { error } = await client.request('server/discover', { _meta: META });
  expect(error.data).toEqual({ target: 'b', reason: 'child_exited' });
});

test('a call starts the process of its own target only', async () => {
  const { connect, source } = several({ a: {}, b: {} });
  const client = connect();
  expect(await client.text('a_echo')).toBe('a {}');
  expect(source.size).toBe(1);
});

test('one subscription is one at each target that it concerns, and ends when all have ended', async () => {
  const client = several({ a: {}, b: {} }).connect();
  await client.request('server/discover', { _meta: META });
  const id = client.start('subscriptions/listen', {
    notifications: { toolsListChanged: true, resourceSubscriptions: ['b+note:///1'] },
    _meta: META,
  });
  const { params } = await client.hear('notifications/subscriptions/acknowledged');
  expect(params).toEqual({
    notifications: { toolsListChanged: true, resourceSubscriptions: ['b+note:///1'] },
    _meta: { [SUBSCRIPTION]: id },
  });
  const listens = async (name: string) => JSON.parse(await client.text(`${name}_received`));
  expect(await listens('a')).toContainEqual({ listen: { toolsListChanged: true } });
  expect(await listens('b')).toContainEqual({
    listen: { toolsListChanged: true, resourceSubscriptions: ['note:///1'] },
  });
  await client.text('b_change');
  expect((await client.hear('notifications/tools/list_changed')).params._meta).toEqual({ [SUBSCRIPTION]: id });
  expect((await client.hear('notifications/resources/updated')).params).toEqual({
    uri: 'b+note:///1',
    _meta: { [SUBSCRIPTION]: id },
  });
  await client.text('a_end-subscriptions');
  expect(client.find(id)).toBeUndefined();
  await client.text('b_end-subscriptions');
  expect((await client.response(id)).result._meta).toEqual({ [SUBSCRIPTION]: id });
});

test.each([
  ['a result', {}],
  ['a cancellation', { cancels: true }],
])('a subscription that all targets end with %s ends, and is no failure in the log', async (_how, args) => {
  const { connect, lines } = several({ a: {}, b: {} });
  const client = connect();
  const id = client.start('subscriptions/listen', { notifications: { toolsListChanged: true }, _meta: META });
  await client.hear('notifications/subscriptions/acknowledged');
  for (const name of ['a', 'b']) await client.text(`${name}_end-subscriptions`, args);
  expect((await client.response(id)).result._meta).toEqual({ [SUBSCRIPTION]: id });
  expect(lines).toEqual([]);
});

test('a subscription to something that no target has is refused', async () => {
  const client = several({ a: {}, b: {} }).connect();
  await client.request('server/discover', { _meta: META });
  const params = { notifications: { resourceSubscriptions: ['note:///1'] }, _meta: META };
  expect((await client.request('subscriptions/listen', params)).error.code).toBe(-32602);
  expect((await client.request('subscriptions/listen', { notifications: 1 })).error.code).toBe(-32602);
});

test.each([
  ['lists', { toolsListChanged: true }, { toolsListChanged: true }],
  [
    'another resource',
    { resourceSubscriptions: ['b+note:///1', 'file:///gone'] },
    { resourceSubscriptions: ['b+note:///1'] },
  ],
  ['a task', { taskIds: ['b+t1', 'gone'] }, { taskIds: ['b+t1'] }],
])(
  'a subscription to a resource that no target has, and to %s, is one to the latter',
  async (_what, more, accepted) => {
    const client = several({ a: {}, b: {} }).connect();
    const notifications = { resourceSubscriptions: ['file:///gone'], ...more };
    client.start('subscriptions/listen', { notifications, _meta: META });
    const { params } = await client.hear('notifications/subscriptions/acknowledged');
    expect(params.notifications).toEqual(accepted);
  },
);

test('a cancelled subscription ends at every target', async () => {
  const client = several({ a: {}, b: {} }).connect();
  const id = client.start('subscriptions/listen', { notifications: { toolsListChanged: true }, _meta: META });
  await client.hear('notifications/subscriptions/acknowledged');
  client.send({ method: 'notifications/cancelled', params: { requestId: id } });
  for (const name of ['a', 'b']) expect(await client.text(`${name}_received`)).toContain('notifications/cancelled');
});

test("a target cannot notify about another's subscription", async () => {
  const client = several({ a: {}, b: {} }).connect();
  const notifications = { resourceSubscriptions: ['b+note:///1'] };
  client.start('subscriptions/listen', { notifications, _meta: META });
  await client.hear('notifications/subscriptions/acknowledged');
  for (let id = 0; id < 20; id++) {
    const params = { uri: 'note:///1', _meta: { [SUBSCRIPTION]: id } };
    const line = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/resources/updated', params });
    client.start('tools/call', { name: 'a_print', arguments: { line } });
  }
  expect(await client.text('a_echo')).toBe('a {}');
  expect(client.heardOf('notifications/resources/updated')).toEqual([]);
});

test.each([
  ['initialize', { protocolVersion: '2025-11-25', capabilities: {} }],
  ['ping', {}],
  ['logging/setLevel', { level: 'debug' }],
  ['resources/subscribe', { uri: 'a+note:///1' }],
  ['resources/unsubscribe', { uri: 'a+note:///1' }],
])('%s is no method of 2026-07-28', async (method, params) => {
  const client = several({ a: {}, b: {} }).connect();
  expect((await client.request(method, { ...params, _meta: META })).error.code).toBe(-32601);
});

test('the cursor of a list of one target is not passed on', async () => {
  const client = several({ a: {}, b: { PAGES: '1' } }).connect();
  const meta = { ...META, progressToken: 'token' };
  const listOf = async (cursor: object) => {
    const text = Buffer.from(JSON.stringify(cursor)).toString('base64url');
    const lists = [
      { cursor: text, _meta: meta },
      { _meta: meta, cursor: text },
      { _meta: meta, x: 1, cursor: text },
    ];
    const answers = await Promise.all(lists.map((params) => client.request('tools/list', params)));
    return answers.map(({ result, error }) => error?.message ?? result.tools[0].name);
  };
  expect(await listOf({ b: null })).toEqual(['b_echo', 'b_echo', 'b_echo']);
  expect(await listOf({ b: '1' })).toEqual(['b_pid', 'b_pid', 'b_pid']);
  expect(await listOf({ b: 1 })).toEqual(Array(3).fill('Invalid cursor'));
});
