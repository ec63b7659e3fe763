import { describe, expect, test } from 'vitest';
import { MemberFinder } from '../../src/messages/member-finder.js';

const PATHS = ['id', 'method', 'params', 'params.name', 'params._meta'];

/** The members that are found, as they are written; undefined if the text must be parsed. */
function find(text: string): Record<string, string> | undefined {
  const finder = new MemberFinder(PATHS);
  if (!finder.find(Buffer.from(text))) return undefined;
  const found = PATHS.filter((path) => finder.has(finder.numberOf(path)));
  return Object.fromEntries(found.map((path) => [path, finder.textOf(finder.numberOf(path))]));
}

test.each<[string, Record<string, string>]>([
  ['{}', {}],
  [' { "id" : 1 } \n', { id: '1' }],
  ['{"a":[{"id":2}],"id":"x"}', { id: '"x"' }],
  ['{"id":"é😀"}', { id: '"é😀"' }],
  ['{"id":"a\\"b\\\\","method":"m"}', { id: '"a\\"b\\\\"', method: '"m"' }],
  ['{"id":null,"method":true}', { id: 'null', method: 'true' }],
  ['{"params":{"name":"n"}}', { params: '{"name":"n"}', 'params.name': '"n"' }],
  ['{"params":{"a":{"name":"m"},"name":"n"}}', { params: '{"a":{"name":"m"},"name":"n"}', 'params.name': '"n"' }],
  ['{"params":["name"],"name":"n"}', { params: '["name"]' }],
  ['{"params":{}}', { params: '{}' }],
  ['{"a":"}]{[","b":"\\"}","id":3}', { id: '3' }],
])('finds the members of %s', (text, found) => expect(find(text)).toEqual(found));

test.each([
  ['nothing', ''],
  ['a list', '[{"id":1}]'],
  ['a text', '"id"'],
  ['an object that does not end', '{"id":1'],
  ['a text that does not end', '{"id":"1}'],
  ['a nested object that does not end', '{"params":{"name":"n"}'],
  ['a member without a value', '{"id":}'],
  ['a member without a colon', '{"id" 1}'],
  ['no comma', '{"id":1 "method":"m"}'],
  ['a comma at the end', '{"id":1,}'],
  ['more after the object', '{"id":1}{}'],
  ['a member twice', '{"id":1,"id":2}'],
  ['a nested member twice', '{"params":{"name":"a","name":"b"}}'],
  ['an object twice', '{"params":{"name":"a"},"params":{}}'],
  ['a name with an escape', '{"i\\u0064":1}'],
])('leaves %s to a parser', (_name, text) => expect(find(text)).toBeUndefined());

describe('a long text', () => {
  // The native search takes over after 64 bytes, and must not lose count of the backslashes.
  test.each(Array.from({ length: 140 }, (_, before) => before))('with escapes after %i characters', (before) => {
    for (const escapes of ['\\"', '\\\\', '\\\\\\"', '\\\\\\\\', '\\"\\"', '\\n']) {
      for (const after of ['', 'y', 'y'.repeat(80)]) {
        const value = `"${'x'.repeat(before)}${escapes}${after}"`;
        expect(find(`{"a":${value},"id":${value}}`)).toEqual({ id: value });
      }
    }
  });

  test('takes linear time, whatever is in it', () => {
    for (const piece of ['\\"', '\\\\', `${'x'.repeat(70)}\\"`, `${'x'.repeat(70)}${'\\\\'.repeat(40)}`]) {
      const value = `"${piece.repeat(1_000_000 / piece.length)}"`;
      const since = performance.now();
      expect(find(`{"a":${value},"id":1}`)).toEqual({ id: '1' });
      expect(performance.now() - since).toBeLessThan(2_000);
    }
  });
});
