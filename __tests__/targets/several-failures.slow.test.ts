import { expect, test } from 'vitest';
import { issueAuth } from '../../src/core/auth-info.js';
import { attachWithdrawal } from '../../src/core/token-validity.js';
import { several } from '../support/several-targets.js';
import { until } from '../support/until.js';

const PROTOCOL = 'io.modelcontextprotocol';
const META = { [`${PROTOCOL}/protocolVersion`]: '2026-07-28', [`${PROTOCOL}/clientCapabilities`]: {} };

const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

test('a target killed in the middle of a call: the call fails, others go on, and it is used again in the same session', async () => {
  const client = several({ a: {}, b: {} }).connect();
  await client.initialize();
  await client.request('logging/setLevel', { level: 'debug' });
  await client.request('resources/subscribe', { uri: 'b+note:///9' });
  const pid = Number(await client.text('b_pid'));
  // A target that lives for less than a second is not opened again at once.
  await new Promise((resolve) => setTimeout(resolve, 1_050));
  const hanging = client.start('tools/call', { name: 'b_hang' });
  const asking = client.start('tools/call', { name: 'b_ask' });
  const question = await client.hear('sampling/createMessage');
  process.kill(pid, 'SIGKILL');
  expect((await client.response(hanging)).error.data).toEqual({ target: 'b', reason: 'child_exited' });
  expect((await client.response(asking)).error.data).toEqual({ target: 'b', reason: 'child_exited' });
  expect((await client.hear('notifications/cancelled')).params.requestId).toBe(question.id);
  expect(await client.text('a_echo')).toBe('a {}');
  const received = JSON.parse(await client.text('b_received'));
  expect(received).toEqual([
    { initialize: { sampling: {} } },
    { method: 'notifications/initialized' },
    { level: 'debug' },
    { subscribe: 'note:///9' },
  ]);
  expect(Number(await client.text('b_pid'))).not.toBe(pid);
});

test('failClosed: a session cannot be opened without one target, and no process is left', async () => {
  const { connect, lines, source } = several({ a: {}, b: { FAILS: '1' } });
  const client = connect();
  expect((await client.initialize()).error).toBe('child_exited');
  expect(lines.join('\n')).toContain('target "b": initialize failed: The MCP server exited before it answered');
  await client.connection.stop();
  expect(source.size).toBe(0);
});

test('failClosed: a list fails without one target, and calls to the others go on', async () => {
  const client = several({ a: {}, b: {} }).connect();
  await client.initialize();
  client.start('tools/call', { name: 'b_crash' });
  await until(() => client.heard.some(({ error }) => error !== undefined));
  expect((await client.request('tools/list')).error.data).toEqual({ target: 'b', reason: 'child_exited' });
  expect(await client.text('a_echo')).toBe('a {}');
});

test('failOpen: a session and lists go on without a target, and the log says which', async () => {
  const { connect, lines } = several({ a: {}, b: { FAILS: '1' } }, { failureMode: 'failOpen' });
  const client = connect();
  const { result } = await client.initialize();
  expect(result.instructions).toBe('# a\n\nUse a.');
  const names = (await client.request('tools/list')).result.tools.map(({ name }: { name: string }) => name);
  expect(names.every((name: string) => name.startsWith('a_'))).toBe(true);
  expect(await client.text('b_echo')).toBe('error The MCP server exited before it answered');
  expect(lines.join('\n')).toContain('target "b": initialize failed');
});

test('failOpen: no target opens', async () => {
  const client = several({ a: { FAILS: '1' }, b: { FAILS: '1' } }, { failureMode: 'failOpen' }).connect();
  expect((await client.initialize()).error).toBe('child_exited');
});

test('a target that hangs at initialize: failOpen goes on within the start timeout, and ends it', async () => {
  const { connect, source, lines } = several(
    { a: {}, b: { HANGS: '1' } },
    { failureMode: 'failOpen', startTimeoutMs: 8_000 },
  );
  const client = connect();
  const before = performance.now();
  expect((await client.initialize()).result.instructions).toBe('# a\n\nUse a.');
  expect(performance.now() - before).toBeLessThan(8_000);
  await until(() => source.size === 1);
  expect(lines.join('\n')).toContain('did not start within 8 s');
  // A list does not wait for it.
  const then = performance.now();
  expect((await client.request('tools/list')).result.tools[0].name).toBe('a_echo');
  expect(performance.now() - then).toBeLessThan(5_000);
});

test('a target that hangs at initialize: failClosed refuses the session', async () => {
  const { connect, source } = several({ a: {}, b: { HANGS: '1' } }, { startTimeoutMs: 2_000 });
  const client = connect();
  expect((await client.initialize()).error).toBe('start_timed_out');
  await client.connection.stop();
  expect(source.size).toBe(0);
});

test('a target that chose a higher revision is opened again in that of the others', async () => {
  const client = several({ a: {}, b: { REVISION: '2025-03-26' } }).connect();
  expect((await client.initialize()).result.protocolVersion).toBe('2025-03-26');
  expect(await client.text('a_echo')).toBe('a {}');
  expect(await client.text('b_echo')).toBe('b {}');
});

test('a target that floods slows nothing down for the others, and all of it arrives', async () => {
  const client = several({ a: {}, b: {} }).connect();
  await client.initialize();
  const flood = client.start('tools/call', { name: 'b_flood', arguments: { count: 20_000 } });
  expect(await client.text('a_echo')).toBe('a {}');
  await client.response(flood);
  expect(client.heardOf('notifications/message')).toHaveLength(20_000);
});

test('a target that does not read: calls to it wait, calls to others do not, and too many are refused', async () => {
  const client = several({ a: {}, b: {} }).connect();
  await client.initialize();
  const pid = Number(await client.text('b_pid'));
  process.kill(pid, 'SIGSTOP');
  const big = 'x'.repeat(4_000_000);
  const calls = Array.from({ length: 8 }, () => client.start('tools/call', { name: 'b_echo', arguments: { big } }));
  expect(await client.text('a_echo')).toBe('a {}');
  const refused = calls.flatMap((id) => client.find(id) ?? []);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]?.error.data).toEqual({ target: 'b', reason: 'too_many_pending' });
  process.kill(pid, 'SIGCONT');
});

test('no process is left after the end of a connection, even while a target is being opened', async () => {
  const { connect, source } = several({ a: {}, b: { HANGS: '1' } });
  const client = connect();
  client.start('initialize', { protocolVersion: '2025-11-25', capabilities: {} });
  await until(() => source.size === 2);
  await client.connection.stop();
  expect(source.size).toBe(0);
  const other = several({ a: {}, b: {} }).connect();
  await other.initialize();
  const pids = [Number(await other.text('a_pid')), Number(await other.text('b_pid'))];
  await other.connection.stop();
  await other.connection.ended;
  expect(pids.map(isGone)).toEqual([true, true]);
});

test('failOpen: lists wait once for a target that hangs, and have its entries again once it answers', async () => {
  const client = several({ a: {}, b: {} }, { failureMode: 'failOpen' }).connect();
  const pid = Number(await client.text('b_pid'));
  const listed = async (): Promise<boolean> => {
    const { result } = await client.request('tools/list', { _meta: META });
    return result.tools.some(({ name }: { name: string }) => name === 'b_echo');
  };
  expect(await listed()).toBe(true);
  process.kill(pid, 'SIGSTOP');
  expect(await listed()).toBe(false);
  const since = performance.now();
  expect([await listed(), await listed()]).toEqual([false, false]);
  expect(performance.now() - since).toBeLessThan(8_000);
  process.kill(pid, 'SIGCONT');
  await until(listed);
});

test.each([
  [
    'a target was to be opened again in an older revision',
    { a: { REVISION: '2025-06-18' }, b: {}, c: { HANGS: '1' } },
    'conditional',
    ['initialize', { protocolVersion: '2025-11-25', capabilities: {} }],
  ],
  [
    'a call waited for the names of another target',
    { a: {}, c: { HANGS: '1' } },
    'never',
    ['tools/call', { name: 'echo', _meta: META }],
  ],
] as const)(
  'nothing is opened after the end of a connection: %s',
  async (_what, targets, prefixMode, [method, params]) => {
    const { connect, source } = several(targets, { prefixMode });
    const client = connect();
    client.start(method, params);
    await until(() => source.size === Object.keys(targets).length);
    // Those that answer have answered, and could be started again.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await client.connection.stop();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(source.size).toBe(0);
  },
);

test('a message that waits for a slow target is not sent once its token is withdrawn', async () => {
  const client = several({ a: {}, b: {} }).connect();
  await client.initialize();
  const pid = Number(await client.text('b_pid'));
  const auth = issueAuth({ token: 't', clientId: 'c', scopes: [], payload: {}, header: {}, extra: {} });
  let withdrawal: 'token_revoked' | undefined;
  attachWithdrawal(auth, () => withdrawal);
  process.kill(pid, 'SIGSTOP');
  client.start('tools/call', { name: 'b_echo', arguments: { x: 'x'.repeat(1_000_000) } });
  for (const id of ['before', 'after']) {
    if (id === 'after') withdrawal = 'token_revoked';
    const call = { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'b_echo' } };
    client.connection.write(Buffer.from(JSON.stringify(call)), { auth });
  }
  const last = client.start('tools/call', { name: 'b_echo' });
  process.kill(pid, 'SIGCONT');
  expect((await client.response(last)).result.content).toEqual([{ type: 'text', text: 'b {}' }]);
  expect([client.find('before'), client.find('after')]).toEqual([undefined, undefined]);
});

test('a subscription goes on when a target comes back', async () => {
  const client = several({ a: {}, b: {} }).connect();
  client.start('subscriptions/listen', { notifications: { toolsListChanged: true }, _meta: META });
  await client.hear('notifications/subscriptions/acknowledged');
  client.start('tools/call', { name: 'b_crash' });
  await until(() => client.heard.some(({ error }) => error !== undefined));
  await until(async () => !(await client.text('b_echo')).startsWith('error'));
  await client.text('b_change');
  await client.hear('notifications/tools/list_changed');
  expect(client.heardOf('notifications/subscriptions/acknowledged')).toHaveLength(1);
});

test('failOpen: a target that starts too late is named with the option that limits its start', async () => {
  const options = { failureMode: 'failOpen', startTimeoutMs: 6_000 } as const;
  const { connect, lines } = several({ a: {}, b: { HANGS: '1' } }, options);
  const client = connect();
  await client.initialize();
  expect(await client.text('b_echo')).toBe('error The MCP server did not start in time (startTimeoutSeconds)');
  expect(lines.join('\n')).toContain(
    'target "b": initialize failed: The MCP server did not start in time (startTimeoutSeconds)',
  );
});
