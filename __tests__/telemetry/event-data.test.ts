import { describe, expect, test } from 'vitest';
import { EventData } from '../../src/telemetry/event-data.js';

/** The data of each event of a stream that arrives in these pieces. */
function dataIn(pieces: readonly Buffer[]): string[] {
  const found: string[] = [];
  let data: Buffer[] = [];
  const events = new EventData({
    push: (piece) => void data.push(Buffer.from(piece)),
    reset: () => {
      if (data.some(({ length }) => length > 0)) found.push(Buffer.concat(data).toString());
      data = [];
    },
  });
  for (const piece of pieces) events.push(piece);
  return found;
}

function cut(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

const rows: [name: string, stream: string, ...data: string[]][] = [
  ['one event', 'event: message\nid: 1\ndata: {"a":1}\n\n', '{"a":1}'],
  ['two events', 'data: a\n\ndata: b\n\n', 'a', 'b'],
  ['lines that end with a return', 'data: a\rdata: b\r\rdata: c\r\r', 'a\nb', 'c'],
  ['lines that end with both', 'data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n', 'a\nb', 'c'],
  ['mixed line ends', 'data: a\r\n\ndata: b\n\rdata: c\r\r\n', 'a', 'b', 'c'],
  ['data without a space', 'data:a\n\n', 'a'],
  ['data with two spaces', 'data:  a\n\n', ' a'],
  ['data in several lines', 'data: {\ndata: "a"\ndata\ndata: }\n\n', '{\n"a"\n\n}'],
  ['colons in data', 'data: a: b\n\n', 'a: b'],
  ['other fields', 'datax: 1\ndat: 2\n data: 3\nDATA: 4\nretry: 5\ndata: a\n\n', 'a'],
  ['comments', ': data: b\n:\n\ndata: a\n: c\n\n', 'a'],
  ['a field with a long name', `${'data'.repeat(50)}: b\ndata: a\n\n`, 'a'],
  ['a byte order mark', '\ufeffdata: a\n\n\ufeffdata: b\n\n', 'a'],
  ['characters beyond ASCII', 'data: é漢😀\n\n', 'é漢😀'],
  ['an event without data, which gives a client its first id', 'id: 1\ndata: \n\ndata: a\n\n', 'a'],
  ['an event that is not complete', 'data: a\n\ndata: b\n', 'a'],
];

describe.each(rows)('%s', (_name, stream, ...data) => {
  const bytes = Buffer.from(stream);

  test('is read in pieces of any size', () => {
    for (let size = 1; size <= bytes.length; size++) expect(dataIn(cut(bytes, size)), `${size}`).toEqual(data);
  });

  test('is read in two pieces, wherever it is cut', () => {
    for (let at = 0; at < bytes.length; at++)
      expect(dataIn([bytes.subarray(0, at), bytes.subarray(at)]), `${at}`).toEqual(data);
  });
});
