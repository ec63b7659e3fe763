import { expect, test } from 'vitest';
import { EventReader } from '../../src/targets/http/event-reader.js';
import { memoryInUse } from '../support/memory-in-use.js';

const MAX_BYTES = 40;

function read(...chunks: readonly (string | Buffer)[]): string[] {
  const events: string[] = [];
  const reader = new EventReader(MAX_BYTES, {
    message: (bytes) => void events.push(`${bytes}`),
    oversized: (head, tail) => void events.push(`too large: ${head} … ${tail}`),
  });
  for (const chunk of chunks) reader.push(Buffer.from(chunk as string));
  return events;
}

const LINE = 'x'.repeat(15);

test.each<[title: string, stream: string, events: string[]]>([
  ['one line', 'data: {"a":1}\n\n', ['{"a":1}']],
  ['several lines', 'data: {\ndata:"a":1,\nid: 7\ndata\ndata: "b":2}\n\n', ['{ "a":1,  "b":2}']],
  ['an empty line first', 'data:\ndata: {}\n\n', [' {}']],
  ['a byte order mark', '\ufeffdata: 1\n\ndata: 2\n\n', ['1', '2']],
  ['a byte order mark alone in its line', '\ufeff\ndata: 1\n\n', ['1']],
  [
    'a byte order mark before as much as is allowed',
    `\ufeffdata: ${'x'.repeat(MAX_BYTES)}\n\n`,
    ['x'.repeat(MAX_BYTES)],
  ],
  [
    'a byte order mark before too much',
    `\ufeffdata: ${'x'.repeat(MAX_BYTES * 2)}\n\ndata: 1\n\n`,
    [expect.stringMatching(/^too large: x/), '1'],
  ],
  ['a byte order mark later', 'data: 1\n\n\ufeffdata: 2\n\ndata: 3\n\n', ['1', '3']],
  ['no data', 'data:\n\nid: 1\n\n', []],
  ['two events', 'data: [1,\ndata: 2]\n\ndata: 3\n\n', ['[1, 2]', '3']],
  ['events with a name', 'event: ping\ndata: 1\n\ndata: 2\nevent:endpoint\n\ndata: 3\n\n', ['3']],
  ['the name of messages', 'event: message\ndata: 1\n\nevent:message\r\ndata: 2\r\n\r\n', ['1', '2 ']],
  ['an empty name', 'event\ndata: 1\n\nevent: ping\nevent:\ndata: 2\n\n', ['1', '2']],
  ['a name without data before a message', 'event: ping\n\ndata: 1\n\n', ['1']],
  ['too much data under a name', `event: ping\ndata: ${'x'.repeat(MAX_BYTES + 1)}\n\ndata: 1\n\n`, ['1']],
  ['a name that is too long', `event: ${'x'.repeat(MAX_BYTES * 2)}\ndata: 1\n\ndata: 2\n\n`, ['2']],
  ['as much as is allowed', `data: ${'x'.repeat(MAX_BYTES)}\n\n`, ['x'.repeat(MAX_BYTES)]],
  [
    'one line too long',
    `data:${'x'.repeat(MAX_BYTES + 1)}\n\ndata: 1\n\n`,
    [expect.stringMatching(/^too large: x/), '1'],
  ],
  [
    'a line too long after another',
    `data: {"id":1,\ndata: ${'x'.repeat(MAX_BYTES + 1)}\ndata: }\n\ndata: 1\n\n`,
    ['too large: {"id":1, … }', '1'],
  ],
  [
    'a comment and an unknown field that are too long',
    `data: {"a":1,\n:${'x'.repeat(MAX_BYTES * 2)}\nother: ${'x'.repeat(MAX_BYTES * 2)}\ndata: "b":2}\n\n`,
    ['{"a":1, "b":2}'],
  ],
  [
    'lines too long together',
    `data: {"id":1,\ndata: "a":\ndata: ${LINE}\ndata: ${LINE}\ndata: ${LINE}\ndata: end}\n\ndata: 1\n\n`,
    [`too large: {"id":1, "a": ${LINE} … end}`, '1'],
  ],
])('an event stream with %s, whole and byte by byte', (_title, stream, events) => {
  expect(read(stream)).toEqual(events);
  expect(read(...[...Buffer.from(stream)].map((byte) => Buffer.from([byte])))).toEqual(events);
});

test('an id that is too long for a header is not kept', () => {
  const reader = new EventReader(10_000, { message: () => undefined, oversized: () => undefined });
  const idAfter = (id: string) => {
    reader.push(Buffer.from(`id: ${id}\ndata: 1\n\n`));
    return reader.lastEventId;
  };
  expect([1_024, 1_025].map((length) => idAfter('x'.repeat(length))?.length)).toEqual([1_024, 0]);
});

test('an event of many short lines takes up no more memory than its data', async () => {
  const sizes: number[] = [];
  const reader = new EventReader(1_000_000, {
    message: (bytes) => void sizes.push(bytes.length),
    oversized: () => undefined,
  });
  const before = await memoryInUse();
  for (let i = 0; i < 500; i++) reader.push(Buffer.from(`data: 1\n:${'x'.repeat(65_536)}\n`));
  reader.push(Buffer.from('data:\n'.repeat(300_000)));
  expect((await memoryInUse()) - before).toBeLessThan(5_000_000);
  reader.push(Buffer.from('\n'));
  expect(sizes).toEqual([500 * 2 - 1 + 300_000]);
});
