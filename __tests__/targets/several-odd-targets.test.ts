import { expect, test } from 'vitest';
import { SILENT } from '../../src/core/logger.js';
import { keptCapabilities } from '../../src/targets/several/merged-capabilities.js';
import { ToolPins } from '../../src/targets/several/pins.js';
import { TargetNames } from '../../src/targets/several/target-names.js';
import { type SeveralClient, several } from '../support/several-targets.js';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
test('links of tools to resources follow the names of resources, also in a list that is the same as before', async () => {
  const { connect } = several({ a: {}, b: { WITHOUT: 'resources' } });
  const linkIn = async (client: SeveralClient, params?: object): Promise<string> => {
    const { result } = await client.request('tools/list', params);
    return result.tools.find(({ name }: { name: string }) => name === 'a_links')._meta.ui.resourceUri;
  };
  // Nothing is known yet of the capabilities of b.
  expect(await linkIn(connect(), { _meta: META })).toBe('a+ui://view');
  const client = connect();
  await client.initialize();
  expect(await linkIn(client)).toBe('ui://view');
});

test.each(['0', '', '2025-11-24'])(
  'a target that chooses revision %j does not choose for the others',
  async (REVISION) => {
    const client = several({ a: {}, b: { REVISION } }, { failureMode: 'failOpen' }).connect();
    const { result } = await client.initialize();
    expect([result.protocolVersion, result.instructions]).toEqual(['2025-11-25', '# a\n\nUse a.']);
  },
);

test.each([
  ['names of another target', { a: {}, b: { PREFIX: 'own-', LIST_MS: '200' } }, { prefixMode: 'never' }, 'echo'],
  ['definitions of tools', { a: { LIST_MS: '200' }, b: {} }, { pins: new ToolPins(undefined, SILENT) }, 'a_echo'],
] as const)('a call that waits for the %s can be cancelled', async (_what, targets, options, name) => {
  const client = several(targets, options).connect();
  await client.initialize();
  const id = client.start('tools/call', { name });
  client.send({ method: 'notifications/cancelled', params: { requestId: id } });
  expect((await client.request('tools/list')).result.tools).not.toEqual([]);
  expect(await client.text(name)).toBe('a {}');
  expect(client.find(id)).toBeUndefined();
});

test('notifications that wait for the acknowledgement of another target are limited in bytes', async () => {
  const client = several({ a: {}, b: {} }).connect();
  const pid = Number(await client.text('b_pid'));
  process.kill(pid, 'SIGSTOP');
  // The subscription is request 2 at a, after that for the process id.
  client.start('subscriptions/listen', { notifications: { toolsListChanged: true }, _meta: META });
  const params = { x: 'x'.repeat(600_000), _meta: { 'io.modelcontextprotocol/subscriptionId': 2 } };
  const line = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed', params });
  for (const _ of [1, 2]) client.start('tools/call', { name: 'a_print', arguments: { line } });
  expect(await client.text('a_echo')).toBe('a {}');
  process.kill(pid, 'SIGCONT');
  await client.hear('notifications/subscriptions/acknowledged');
  expect(await client.text('b_echo')).toBe('b {}');
  expect(client.heardOf('notifications/tools/list_changed')).toHaveLength(1);
});

test('an acknowledgement that is longer than the subscription counts as one of nothing', async () => {
  const client = several({ a: {}, b: {} }).connect();
  const pid = Number(await client.text('b_pid'));
  process.kill(pid, 'SIGSTOP');
  // The subscription is request 2 at a, after that for the process id.
  const id = client.start('subscriptions/listen', { notifications: { promptsListChanged: true }, _meta: META });
  const long = { promptsListChanged: true, x: 'x'.repeat(66_000) };
  const params = { notifications: long, _meta: { 'io.modelcontextprotocol/subscriptionId': 2 } };
  const line = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params });
  await client.text('a_echo');
  client.start('tools/call', { name: 'a_print', arguments: { line } });
  expect(await client.text('a_echo')).toBe('a {}');
  process.kill(pid, 'SIGCONT');
  const { params: acknowledged } = await client.hear('notifications/subscriptions/acknowledged');
  expect(acknowledged).toEqual({
    notifications: { promptsListChanged: true },
    _meta: { 'io.modelcontextprotocol/subscriptionId': id },
  });
});

test('of more than 50000 names, those that were listed last are known', () => {
  const names = new TargetNames();
  names.add(new Set(Array.from({ length: 50_000 }, (_, index) => `t${index}`)));
  names.add(new Set(['t1', 'more']));
  expect(['t0', 't1', 't2', 'more'].map((name) => names.has(name))).toEqual([false, true, true, true]);
});

test.each([
  [
    { tools: { listChanged: true, x: 1 }, logging: {}, x: 1 },
    { tools: true, logging: false },
  ],
  [
    { prompts: null, resources: { listChanged: 'yes' }, tasks: true },
    { prompts: false, resources: false, tasks: false },
  ],
  [[], {}],
  [undefined, {}],
])('capabilities %j are kept as far as needed', (capabilities, kept) => {
  const expected = Object.entries(kept).map(([name, listChanged]) => [name, { listChanged }]);
  expect(keptCapabilities(capabilities)).toEqual(Object.fromEntries(expected));
});

test('a tool or prompt whose name has more than 256 characters is not listed', async () => {
  const TOOLS = JSON.stringify([{ name: 'x'.repeat(256) }, { name: 'y'.repeat(257) }]);
  const client = several({ a: { TOOLS }, b: { WITHOUT: 'tools' } }).connect();
  await client.initialize();
  expect((await client.request('tools/list')).result.tools).toEqual([{ name: `a_${'x'.repeat(256)}` }]);
});
