import { expect, test } from 'vitest';
import { several } from '../support/several-targets.js';
import { until } from '../support/until.js';

const TWO = { a: {}, b: {} };

test('requests of two targets under one id reach the client under two, and its answers the right target', async () => {
  const client = several(TWO).connect();
  await client.initialize();
  const first = client.start('tools/call', { name: 'a_ask' });
  const second = client.start('tools/call', { name: 'b_ask' });
  await until(() => client.heardOf('sampling/createMessage').length === 2);
  const questions = client.heardOf('sampling/createMessage');
  expect(new Set(questions.map(({ id }) => id)).size).toBe(2);
  expect(new Set(questions.map(({ params }) => params._meta.progressToken)).size).toBe(2);
  for (const { id } of questions) client.send({ id, result: { answerTo: id } });
  const texts = [
    (await client.response(first)).result.content[0].text,
    (await client.response(second)).result.content[0].text,
  ];
  expect(texts.map((text: string) => text[0])).toEqual(['a', 'b']);
  expect(new Set(texts.map((text: string) => JSON.parse(text.slice(2)).answerTo)).size).toBe(2);
});

test("the client's progress about a request of a target reaches that target alone, with its own token", async () => {
  const client = several(TWO).connect();
  await client.initialize();
  const call = client.start('tools/call', { name: 'b_ask' });
  const { id, params } = await client.hear('sampling/createMessage');
  client.send({ method: 'notifications/progress', params: { progressToken: params._meta.progressToken, progress: 1 } });
  client.send({ id, result: {} });
  await client.response(call);
  const seen = { method: 'notifications/progress', progressToken: 'token', progress: 1 };
  expect(JSON.parse(await client.text('b_received'))).toContainEqual(seen);
  expect(JSON.parse(await client.text('a_received'))).not.toContainEqual(seen);
});

test('a target that cancels its request cancels that of the client', async () => {
  const client = several(TWO).connect();
  await client.initialize();
  await client.text('b_ask-and-cancel');
  const { id } = await client.hear('roots/list');
  expect((await client.hear('notifications/cancelled')).params).toEqual({ requestId: id });
});

test('equal progress tokens of two requests: each gets its own progress', async () => {
  const client = several(TWO).connect();
  await client.initialize();
  await client.request('tools/call', { name: 'a_progress', _meta: { progressToken: 'p' } });
  await client.request('tools/call', { name: 'b_progress', _meta: { progressToken: 7 } });
  expect(client.heardOf('notifications/progress').map(({ params }) => params)).toEqual([
    { progressToken: 'p', progress: 1, message: 'a' },
    { progressToken: 7, progress: 1, message: 'b' },
  ]);
});

test('a cancellation reaches the target of the request, with the id that it knows', async () => {
  const client = several(TWO).connect();
  await client.initialize();
  const id = client.start('tools/call', { name: 'a_hang' }, 'a hanging call');
  client.send({ method: 'notifications/cancelled', params: { requestId: id, reason: 'enough' } });
  const cancelled = { method: 'notifications/cancelled', requestId: expect.any(Number), reason: 'enough' };
  expect(JSON.parse(await client.text('a_received'))).toContainEqual(cancelled);
  expect(JSON.parse(await client.text('b_received'))).not.toContainEqual(cancelled);
  expect(client.find(id)).toBeUndefined();
});

test("a target that answers another's request is not heard, and logged", async () => {
  const { connect, lines } = several(TWO);
  const client = connect();
  await client.initialize();
  const hanging = client.start('tools/call', { name: 'a_hang', _meta: { progressToken: 'mine' } });
  const ids = Array.from({ length: 30 }, (_, index) => index);
  expect(await client.text('b_answer', { ids: ids.filter((id) => id !== 4) })).toMatch(/answered|forged/);
  expect(await client.text('b_echo')).toBe('b {}');
  expect(client.find(hanging)).toBeUndefined();
  expect(client.heardOf('notifications/progress')).toEqual([]);
  expect(
    lines.filter((line) => line.includes('target "b" answered a request that was sent to "a": dropped')),
  ).toHaveLength(1);
});

test('an answer with two ids answers no request of another target', async () => {
  const client = several(TWO).connect();
  await client.initialize();
  const hanging = client.start('tools/call', { name: 'a_hang' }, 77);
  const line = '{"jsonrpc":"2.0","id":77,"id":ID,"result":{"content":[]}}';
  expect(await client.text('b_print', { line })).toBe(
    'error The answer of the MCP server is not a JSON-RPC 2.0 message',
  );
  expect(client.find(hanging)).toBeUndefined();
});

test('of two URIs with one name in a result, both are renamed', async () => {
  const client = several(TWO).connect();
  await client.initialize();
  const line = '{"jsonrpc":"2.0","id":ID,"result":{"contents":[{"uri":"x:1","uri":"a+x:2"}]}}';
  const { result } = await client.request('tools/call', { name: 'b_print', arguments: { line } });
  expect(result).toEqual({ contents: [{ uri: 'b+a+x:2' }] });
});

test('a tool with two names is left out of the list', async () => {
  const client = several({ a: {}, b: { TOOLS: '[{"name":"x","name":"a_echo"},{"name":"y"},{}]' } }).connect();
  await client.initialize();
  const { result } = await client.request('tools/list');
  const names = result.tools.map(({ name }: { name: string }) => name);
  expect(names.filter((name: string) => !name.startsWith('a_'))).toEqual(['b_y']);
  expect(names.filter((name: string) => name === 'a_echo')).toHaveLength(1);
});

test('a target cancels its own request only, under an id that another target uses too', async () => {
  const client = several(TWO).connect();
  await client.initialize();
  client.start('tools/call', { name: 'a_ask' });
  await client.hear('sampling/createMessage');
  client.start('tools/call', { name: 'b_ask' });
  await until(() => client.heardOf('sampling/createMessage').length === 2);
  const line = '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"ask-1"}}';
  client.start('tools/call', { name: 'b_print', arguments: { line } });
  const cancelled = await client.hear('notifications/cancelled');
  expect(cancelled.params.requestId).toBe(client.heardOf('sampling/createMessage')[1]?.id);
});

test('a task that a request belongs to is named as its own target knows it', async () => {
  const client = several(TWO).connect();
  await client.initialize();
  const key = 'io.modelcontextprotocol/related-task';
  const meta = async (taskId: string) => {
    const { result } = await client.request('tools/call', { name: 'a_meta', _meta: { [key]: { taskId } } });
    return JSON.parse(result.content[0].text)[key];
  };
  expect(await meta('a+t1')).toEqual({ taskId: 't1' });
  expect(await meta('b+t1')).toEqual({ taskId: 'b+t1' });
});

test('log messages and list changes pass; updates of resources and tasks are renamed', async () => {
  const client = several(TWO).connect();
  await client.initialize();
  await client.text('a_log');
  expect((await client.hear('notifications/message')).params).toEqual({ level: 'info', logger: 'a', data: 'a' });
  await client.text('b_change');
  await client.hear('notifications/tools/list_changed');
  expect((await client.hear('notifications/resources/updated')).params).toEqual({ uri: 'b+note:///1' });
  await client.request('tools/call', { name: 'b_task' });
  expect((await client.hear('notifications/tasks/status')).params.taskId).toBe('b+t1');
  const { error } = await client.request('tools/call', { name: 'a_visit' });
  expect(error.data.elicitations[0].elicitationId).toBe('a+e1');
  expect((await client.hear('notifications/elicitation/complete')).params).toEqual({ elicitationId: 'a+e1' });
});

test("targets are not told that the client keeps tasks: one could ask for another's", async () => {
  const client = several(TWO).connect();
  await client.initialize();
  expect(JSON.parse(await client.text('a_received'))).toContainEqual({ initialize: { sampling: {} } });
});

test('two clients: equal ids and tokens, each hears only its own', async () => {
  const { connect } = several(TWO);
  const [ada, bob] = [connect(), connect()];
  await Promise.all([ada.initialize(), bob.initialize()]);
  const [one, other] = await Promise.all([ada.text('a_pid'), bob.text('a_pid')]);
  expect(one).not.toBe(other);
  await ada.request('tools/call', { name: 'b_progress', _meta: { progressToken: 'p' } });
  expect(bob.heardOf('notifications/progress')).toEqual([]);
});

test('bytes that are not renamed stay as they are', async () => {
  const { source } = several(TWO);
  const heard: string[] = [];
  const connection = source.open({ auth: undefined, isChecked: true });
  connection.listen({
    message: (bytes) => void heard.push(bytes.toString()),
    oversized: () => undefined,
    gone: () => undefined,
  });
  const params = '{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}';
  connection.write(Buffer.from(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":${params}}`));
  await until(() => heard.length === 1);
  const line = '{ "result" : {"content":[ ], "n":1.0, "e":1e2, "s":"\\u00e9\\/"}, "id": ID , "jsonrpc":"2.0"}';
  connection.write(
    Buffer.from(
      `{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"a_print","arguments":${JSON.stringify({ line })}}}`,
    ),
  );
  await until(() => heard.length === 2);
  expect(heard[1]).toBe(line.replace('ID', '"x"'));
  await connection.stop();
});
