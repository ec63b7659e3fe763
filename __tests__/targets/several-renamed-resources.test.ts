import { expect, test } from 'vitest';
import { several } from '../support/several-targets.js';
import { until } from '../support/until.js';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const RENAMED = ['notifications/resources/list_changed', 'notifications/tools/list_changed'];

test('failOpen: an open session learns that URIs lose their prefix when the missing target has answered', async () => {
  const b = { FAILS: '1', WITHOUT: 'resources' };
  const { connect } = several({ a: { RESOURCES_CHANGE: '1' }, b }, { failureMode: 'failOpen' });
  const client = connect();
  await client.initialize();
  expect((await client.request('resources/list')).result.resources[0].uri).toBe('a+note:///1');
  b.FAILS = '';
  await connect().initialize();
  for (const method of RENAMED) expect(await client.hear(method)).toEqual({ jsonrpc: '2.0', method });
  expect((await client.request('resources/list')).result.resources[0].uri).toBe('note:///1');
  await connect().initialize();
  for (const method of RENAMED) expect(client.heardOf(method)).toHaveLength(1);
});

test('a client that was not told that resources can change hears nothing of their new URIs', async () => {
  const b = { FAILS: '1', WITHOUT: 'resources' };
  const { connect } = several({ a: {}, b }, { failureMode: 'failOpen' });
  const client = connect();
  await client.initialize();
  b.FAILS = '';
  await connect().initialize();
  await client.hear('notifications/tools/list_changed');
  expect(client.heardOf('notifications/resources/list_changed')).toEqual([]);
});

test('a subscription to the list of resources says that their URIs change, once every target has answered', async () => {
  const { connect } = several({ a: {}, b: { WITHOUT: 'resources' } });
  const [client, other] = [connect(), connect()];
  const listen = (notifications: object) => client.start('subscriptions/listen', { notifications, _meta: META });
  const id = listen({ resourcesListChanged: true });
  listen({ promptsListChanged: true });
  await until(() => client.heardOf('notifications/subscriptions/acknowledged').length === 2);
  await other.request('server/discover', { _meta: META });
  const method = 'notifications/resources/list_changed';
  expect(await client.hear(method)).toEqual({ jsonrpc: '2.0', method, params: { _meta: { [SUBSCRIPTION]: id } } });
  expect(client.heardOf(method)).toHaveLength(1);
  expect(client.heardOf('notifications/tools/list_changed')).toEqual([]);
});
