import { expect, test } from 'vitest';
import { several } from '../support/several-targets.js';
import { until } from '../support/until.js';

const RENAMED = ['notifications/resources/list_changed', 'notifications/tools/list_changed'];

test.each([
  ['without resources', { WITHOUT: '' }, { WITHOUT: 'resources' }],
  ['with resources, which it did not have', { WITHOUT: 'resources' }, { WITHOUT: '' }],
])('a target that is back %s: each list is announced once', async (_what, before, after) => {
  const b = { FAILS: '', ...before };
  const { connect } = several({ a: { RESOURCES_CHANGE: '1' }, b }, { failureMode: 'failOpen' });
  if (before.WITHOUT !== '') await connect().initialize();
  b.FAILS = '1';
  const client = connect();
  await client.initialize();
  Object.assign(b, { FAILS: '', ...after });
  await until(async () => (await client.text('b_echo')) === 'b {}');
  for (const method of RENAMED) {
    await client.hear(method);
    expect(client.heardOf(method)).toHaveLength(1);
  }
});
