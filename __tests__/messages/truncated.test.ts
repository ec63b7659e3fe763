import { expect, test } from 'vitest';
import { requestsAnsweredBy } from '../../src/messages/child-line.js';
import { readTruncated } from '../../src/messages/json-rpc.js';

const NONE = Buffer.alloc(0);

test.each<[string, string, string]>([
  ['without a last brace', ',"a":1'.repeat(500_000), 'response'],
  ['with one', `${',"a":1'.repeat(500_000)}}`, 'response'],
  ['of quotes', '"'.repeat(3_000_000), 'response'],
])('a long end %s is read in little time', (_what, end, kind) => {
  const since = performance.now();
  expect(readTruncated(NONE, Buffer.from(end)).kind).toBe(kind);
  expect(performance.now() - since).toBeLessThan(1_000);
});

test('two messages that are mixed in one line fail the request that the second answers', () => {
  const line =
    '{"method":"notifications/message","params":{"level":"in{"result":{"content":[]},"jsonrpc":"2.0","id":3}';
  expect(requestsAnsweredBy(Buffer.from(line))).toEqual(['3']);
});

test.each([
  '{"method":"x","id":3,"params":{"a":tru',
  '{"jsonrpc":"2.0","id":3,"method":"x","params":{"a":tru',
  '{"method":"x","params":{"temperature":NaN},"jsonrpc":"2.0","id":3}',
  '{"jsonrpc":"2.0","id":3,"params":{"temperature":NaN},"method":"x"}',
])('a broken request answers none: %s', (line) => {
  expect(requestsAnsweredBy(Buffer.from(line))).toEqual([]);
});
