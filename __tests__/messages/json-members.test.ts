import { assert, json, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyEdits, readElements, readMembers, textOf } from '../../src/messages/json-members.js';
import { keyOf, readMessage, readTruncated } from '../../src/messages/json-rpc.js';
import { encodeLine, LineReader } from '../../src/messages/line-codec.js';

describe('readMembers()', () => {
  test('finds every member of any object, as JSON.parse() does', () => {
    void assert(
      property(json({ maxDepth: 4 }), (text) => {
        const value: unknown = JSON.parse(text);
        const bytes = Buffer.from(text);
        if (Array.isArray(value)) {
          const elements = readElements(bytes)?.map(({ start, end }) => JSON.parse(bytes.toString('utf8', start, end)));
          expect(elements).toEqual(value);
        } else if (typeof value === 'object' && value !== null) {
          const members = readMembers(bytes)?.list ?? [];
          const entries = members.map((member) => [member.name, JSON.parse(textOf(bytes, member))]);
          expect(Object.fromEntries(entries)).toEqual(value);
        } else expect(readMembers(bytes)).toBeUndefined();
      }),
    );
  });

  test.each([
    '',
    ' ',
    '{',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,',
    '{"a":1,}',
    '{"a" 1}',
    '{a:1}',
    '{"a":[1}',
    '{"a":"b}',
    '[1]',
    '1',
  ])('finds nothing in %j', (text) => {
    expect(readMembers(Buffer.from(text))).toBeUndefined();
  });

  test('skips long strings with escapes and brackets in them', () => {
    const long = `${'x'.repeat(100)}\\"}${'y'.repeat(100)}\\\\`;
    const bytes = Buffer.from(`{"long":"${long}","id":7}`);
    expect(readMembers(bytes)?.list.map((member) => textOf(bytes, member))).toEqual([`"${long}"`, '7']);
  });

  test.each(['\\n', '\\"'])('skips a long string full of %j in linear time', (pair) => {
    const text = `${'x'.repeat(60)}${pair}`.repeat(262_144);
    const began = process.cpuUsage();
    const members = readMembers(Buffer.from(`{"long":"${text}","id":7}`));
    expect(members?.list.map(({ name }) => name)).toEqual(['long', 'id']);
    expect(process.cpuUsage(began).user / 1_000, 'milliseconds').toBeLessThan(5_000);
  });

  test('edits leave every other byte unchanged', () => {
    const bytes = Buffer.from('{ "a" : 1 , "b":"ü" }');
    const [a, b] = readMembers(bytes)?.list ?? [];
    if (!a || !b) throw new Error('not found');
    const edited = applyEdits(bytes, [
      { ...b, text: '2' },
      { ...a, text: '"ä"' },
    ]);
    expect(edited.toString()).toBe('{ "a" : "ä" , "b":2 }');
  });
});

describe('readMessage()', () => {
  test.each([
    ['{"jsonrpc":"2.0","id":1,"method":"a"}', 'request'],
    ['{"method":"a"}', 'notification'],
    ['{"id":1,"result":{}}', 'response'],
    ['{"id":null,"error":{}}', 'response'],
    ['{"id":1}', undefined],
    ['{"result":{}}', undefined],
    ['{"id":null,"method":"a"}', undefined],
    ['{"id":{},"method":"a"}', undefined],
    ['{"id":1,"method":2}', undefined],
    ['{"id":1,"method":"a","result":{}}', undefined],
    ['hello', undefined],
  ])('%s is a %s', (text, kind) => {
    expect(readMessage(Buffer.from(text))?.kind).toBe(kind);
  });
});

describe('keyOf()', () => {
  test.each([
    ['1', '1.0', true],
    ['"a"', '"\\u0061"', true],
    ['1', '"1"', false],
    ['9007199254740993', '9007199254740992', true],
    ['"__proto__"', '"constructor"', false],
  ])('%s and %s: %s', (a, b, same) => {
    expect(keyOf(a) === keyOf(b)).toBe(same);
  });
});

describe('readTruncated()', () => {
  const x = 'x'.repeat(50);
  test.each([
    ['before the result', `{"jsonrpc":"2.0","id":7,"result":{"a":"${x}`, `${x}"}}`, '7'],
    ['at the end', `{"result":{"a":"${x}`, `${x}"},"jsonrpc":"2.0","id":"b"}`, '"b'],
    ['near the end', `{"result":{"a":"${x}`, `${x}"},"id":8,"jsonrpc":"2.0"} `, '8'],
    ['in a string only', `{"result":{"a":"${x}`, `${x},\\"id\\":9}"},"x":1}`, undefined],
    ['in the result only', `{"result":{"id":5,"a":"${x}`, `${x}"}}`, undefined],
    ['that the head ends in', '{"jsonrpc":"2.0","id":7', `${x}"}}`, undefined],
  ])('a response with its id %s', (_where, head, tail, key) => {
    expect(readTruncated(Buffer.from(head), Buffer.from(tail))).toMatchObject({ kind: 'response', key });
  });

  test.each([
    ['request', 'of the JS SDK', `{"method":"a","params":{"a":"${x}`, `${x}"},"jsonrpc":"2.0","id":7}`],
    ['request', 'of the Python SDK', `{"jsonrpc":"2.0","id":7,"method":"a","params":{"a":"${x}`, `${x}"}}`],
    ['request', 'with its method last', `{"params":{"a":"${x}`, `${x}"}, "id" : 7, "m\\u0065thod":"a"}`],
    ['notification', 'of the JS SDK', `{"method":"a","params":{"a":"${x}`, `${x}"},"jsonrpc":"2.0"}`],
    ['notification', 'of the Python SDK', `{"jsonrpc":"2.0","method":"a","params":{"id":7,"a":"${x}`, `${x}"}}`],
    ['response', 'with a method in its result', `{"id":7,"result":{"method":"a","b":"${x}`, `${x}","method":"a"}}`],
    ['response', 'with a method beside its result', `{"id":7,"result":{},"method":"a","b":"${x}`, `${x}"}`],
  ])('a %s %s', (kind, _which, head, tail) => {
    const key = kind === 'notification' ? undefined : '7';
    expect(readTruncated(Buffer.from(head), Buffer.from(tail))).toMatchObject({ kind, key });
  });
});

describe('lines', () => {
  const read = (chunks: readonly string[], max = 100): string[] => {
    const seen: string[] = [];
    const reader = new LineReader(max, {
      line: (bytes) => void seen.push(bytes.toString()),
      oversized: (head, tail) => void seen.push(`OVER ${head.length > 0} ${tail.toString().slice(-3)}`),
    });
    for (const chunk of chunks) reader.push(Buffer.from(chunk));
    reader.end();
    return seen;
  };

  test.each([
    ['in one chunk', ['a\nb\n'], ['a', 'b']],
    ['in several chunks, the last without an end', ['a', 'b\n', '\nc'], ['ab', 'c']],
    ['with carriage returns', ['\r\n', 'a\r\nb\rc\n'], [' ', 'a ', 'b c']],
    ['over the limit, in two chunks', ['x'.repeat(101), 'end\nnext\n'], ['OVER true end', 'next']],
    ['over the limit, in one chunk', [`${'x'.repeat(200)}\nnext\n`], ['OVER true xxx', 'next']],
    [
      'over the limit, in many chunks',
      ['x'.repeat(60), 'y'.repeat(60), 'z'.repeat(60), '\n', 'ok\n'],
      ['OVER true zzz', 'ok'],
    ],
    ['at the limit', ['x'.repeat(100), '\n'], ['x'.repeat(100)]],
  ])('are read %s', (_how, chunks, lines) => {
    expect(read(chunks)).toEqual(lines);
  });

  test('contain one message each', () => {
    expect(encodeLine(Buffer.from('{\r\n"a":\n1}')).toString()).toBe('{  "a": 1}\n');
  });
});
