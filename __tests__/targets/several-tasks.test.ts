import { expect, test } from 'vitest';
import { type SeveralClient, several } from '../support/several-targets.js';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';

/** Lets a target print a line, and waits until it has done so. */
async function print(client: SeveralClient, target: string, line: string): Promise<void> {
  client.start('tools/call', { name: `${target}_print`, arguments: { line } });
  expect(await client.text(`${target}_echo`)).toBe(`${target} {}`);
}

/** Calls a tool of `a` that answers with a task, and returns the progress token that `a` knows. */
async function startTask(client: SeveralClient, ttl: number | null = null): Promise<number> {
  const meta = await client.request('tools/call', { name: 'a_meta', _meta: { progressToken: 'other' } });
  const task = { taskId: 't1', status: 'working', ttl };
  const line = `{"jsonrpc":"2.0","id":ID,"result":${JSON.stringify({ task })}}`;
  const call = { name: 'a_print', arguments: { line }, _meta: { progressToken: 'mine' } };
  expect((await client.request('tools/call', call)).result.task.taskId).toBe('a+t1');
  return JSON.parse(meta.result.content[0].text).progressToken + 1;
}

/** The progress that reaches the client when a target sends one for the token. */
async function progressFor(client: SeveralClient, token: number, target = 'a'): Promise<readonly unknown[]> {
  const before = client.heardOf('notifications/progress').length;
  const params = { progressToken: token, progress: 1 };
  await print(client, target, JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params }));
  return client.heardOf('notifications/progress').slice(before);
}

async function connected(): Promise<SeveralClient> {
  const client = several({ a: {}, b: {} }).connect();
  await client.initialize();
  return client;
}

test("a task's progress reaches the client after the call was answered, under its own token", async () => {
  const client = await connected();
  const token = await startTask(client);
  await client.request('tasks/get', { taskId: 'a+t1' });
  const progress = [
    { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'mine', progress: 1 } },
  ];
  expect(await progressFor(client, token)).toEqual(progress);
  expect(await progressFor(client, token)).toEqual(progress);
  expect(await progressFor(client, token, 'b')).toEqual([]);
});

const status = JSON.stringify({
  jsonrpc: '2.0',
  method: 'notifications/tasks/status',
  params: { taskId: 't1', status: 'failed' },
});

test.each([
  ['its target says that it has failed', null, (client: SeveralClient) => print(client, 'a', status)],
  ['it was cancelled', null, (client: SeveralClient) => client.request('tasks/cancel', { taskId: 'a+t1' })],
  ['the client has its result', null, (client: SeveralClient) => client.request('tasks/result', { taskId: 'a+t1' })],
  ['its ttl is over', 0, () => undefined],
])('a task has no more progress once %s', async (_when, ttl, end) => {
  const client = await connected();
  const token = await startTask(client, ttl);
  await end(client);
  expect(await progressFor(client, token)).toEqual([]);
});

test('of very many tasks, the last ones have progress', async () => {
  const client = await connected();
  const token = await startTask(client);
  const line = '{"jsonrpc":"2.0","id":ID,"result":{"task":{"taskId":"t2","status":"working"}}}';
  const call = { name: 'a_print', arguments: { line }, _meta: { progressToken: 'mine' } };
  await Promise.all(Array.from({ length: 1_000 }, () => client.request('tools/call', call)));
  expect(await progressFor(client, token)).toEqual([]);
  expect(await progressFor(client, token + 1)).toHaveLength(1);
});

test('links and errors in the notification about a finished task have the names that clients know', async () => {
  const client = await connected();
  const result = {
    content: [{ type: 'resource_link', uri: 'note:///1', name: 'one' }],
    _meta: { ui: { resourceUri: 'ui://x' } },
  };
  const error = { code: -32042, message: 'x', data: { elicitations: [{ elicitationId: 'e1' }] } };
  const params = { taskId: 't1', status: 'completed', result, error };
  await print(client, 'a', JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tasks', params }));
  expect((await client.hear('notifications/tasks')).params).toEqual({
    taskId: 'a+t1',
    status: 'completed',
    result: {
      content: [{ type: 'resource_link', uri: 'a+note:///1', name: 'one' }],
      _meta: { ui: { resourceUri: 'a+ui://x' } },
    },
    error: { code: -32042, message: 'x', data: { elicitations: [{ elicitationId: 'a+e1' }] } },
  });
});

test('subscriptions/listen is refused as an unknown method if no target has it, and accepted if one has', async () => {
  const params = { notifications: { toolsListChanged: true }, _meta: META };
  const none = several({ a: { WITHOUT: 'subscriptions' }, b: { WITHOUT: 'subscriptions' } }).connect();
  expect(await none.request('subscriptions/listen', params)).toMatchObject({ error: { code: -32601 } });
  expect(none.heardOf('notifications/subscriptions/acknowledged')).toEqual([]);
  const one = several({ a: { WITHOUT: 'subscriptions' }, b: {} }).connect();
  const id = one.start('subscriptions/listen', params);
  const { params: accepted } = await one.hear('notifications/subscriptions/acknowledged');
  expect(accepted).toEqual({ notifications: { toolsListChanged: true }, _meta: { [SUBSCRIPTION]: id } });
});
