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

/** Links that get a prefix, in less than 1 MB. */
const LINKS = Array(20_000).fill('{"type":"resource_link","uri":"a","x":0,"y":0}').join();

test('a result with more links than any real one has fails, and the next call does not', async () => {
  const client = several({ a: {}, b: {} }).connect();
  await client.initialize();
  const line = `{"jsonrpc":"2.0","id":ID,"result":{"content":[${LINKS}]}}`;
  const { error } = await client.request('tools/call', { name: 'a_print', arguments: { line } });
  expect(error.data).toEqual({ target: 'a', reason: 'too_many_items' });
  expect(await client.text('a_echo')).toBe('a {}');
});

const MEMBERS = Array(100_001).fill('"a":0').join();
const REFUSED = 'warn target "a": a notification failed: The answer of the MCP server has too many entries or links';

test.each([
  ['a notification', `{"jsonrpc":"2.0","method":"x","params":{"uri":"u","_meta":{${MEMBERS}}}}`, [REFUSED]],
  ['a request', `{"jsonrpc":"2.0","id":ID,"method":"x","params":{"uri":"u","_meta":{${MEMBERS}}}}`, []],
])('%s with more members than any real one has does not reach the client', async (_what, line, logged) => {
  const { connect, lines } = several({ a: {}, b: {} });
  const client = connect();
  await client.initialize();
  client.start('tools/call', { name: 'a_print', arguments: { line } });
  expect(await client.text('a_echo')).toBe('a {}');
  expect(client.heardOf('x')).toHaveLength(0);
  expect(lines).toEqual(logged);
});
