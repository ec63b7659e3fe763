import { expect, test } from 'vitest';
import { beginsLikeMessage } from '../../src/messages/child-line.js';

test.each<[head: string, begins: boolean]>([
  ['{"jsonrpc":"2.0"', true],
  [' \t\r{ "id', true],
  ['\ufeff{"id"', true],
  ['[{"jsonrpc"', true],
  [' [ { "id', true],
  ['{}', true],
  ['{', true],
  ['[', true],
  ['[{', true],
  ['   ', true],
  ['', true],
  ['[info] sent {"jsonrpc":"2.0"', false],
  ['[1,2', false],
  ['[[{"id"', false],
  ["{ level: 'info'", false],
  ['{{"id"', false],
  ['........', false],
  ['"text"', false],
  ['42', false],
  ['sent {"id":1', false],
  ['\u00a0{"id":1', false],
])('a long text that begins with %j may be a message: %s', (head, begins) => {
  expect(beginsLikeMessage(Buffer.from(head))).toBe(begins);
});
