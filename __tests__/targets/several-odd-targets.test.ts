import { expect, test } from 'vitest';
import { SILENT } from '../../src/core/logger.js';
import { ToolPins } from '../../src/targets/several/pins.js';
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
