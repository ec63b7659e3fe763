import { expect, test } from 'vitest';
import { several } from '../support/several-targets.js';

test('an answer over the limit, or that is no message, fails the request of its own target', async () => {
  const client = several({ a: {}, b: {} }).connect();
  await client.initialize();
  const hanging = client.start('tools/call', { name: 'a_hang' });
  const line = `{"jsonrpc":"2.0","id":ID,"result":"${'x'.repeat(1_000_001)}"}`;
  const { error } = await client.request('tools/call', { name: 'b_print', arguments: { line } });
  expect(error.data.reason).toBe('message_too_large');
  const unreadable = await client.request('tools/call', {
    name: 'b_print',
    arguments: { line: '{"jsonrpc":"2.0","id":ID,"result":tru' },
  });
  expect(unreadable.error.data.reason).toBe('unreadable_answer');
  expect(client.find(hanging)).toBeUndefined();
});

test.each([
  ['a notification', '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"TEXT"}}'],
  ['a request', '{"method":"sampling/createMessage","params":{"text":"TEXT"},"jsonrpc":"2.0","id":ID}'],
])('%s over the limit fails no request', async (_what, line) => {
  const client = several({ a: {}, b: {} }).connect();
  await client.initialize();
  const hanging = client.start('tools/call', { name: 'b_hang' });
  const long = line.replace('TEXT', 'x'.repeat(1_000_001));
  const printing = client.start('tools/call', { name: 'b_print', arguments: { line: long } });
  expect(await client.text('b_echo')).toBe('b {}');
  expect([client.find(hanging), client.find(printing)]).toEqual([undefined, undefined]);
});
