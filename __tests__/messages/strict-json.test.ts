import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseStrictJson } from '../../src/messages/strict-json.js';

test('any JSON value is read as JSON.parse reads it, whatever its white space', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(3), (value, spaces) => {
      const text = JSON.stringify(value, null, spaces);
      expect(parseStrictJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

test('a duplicate member is refused, wherever it is and however it is escaped', () => {
  const object = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue(), {
    minKeys: 1,
    maxKeys: 3,
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(object, fc.jsonValue(), fc.boolean(), (outer, value, isEscaped) => {
      const [name] = Object.keys(outer) as [string];
      const again = isEscaped ? `"${[...name].map(escaped).join('')}"` : JSON.stringify(name);
      const text = `[{"a":[${JSON.stringify(outer).slice(0, -1)} , ${again} \n: ${JSON.stringify(value)}}]}]`;
      expect(() => parseStrictJson(text)).toThrow('An object has the same member twice');
    }),
  );
});

function escaped(character: string): string {
  return [...character.split('')].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
}

test.each([
  ['{"a":"\\"b\\":"}', { a: '"b":' }],
  ['{"a\\\\":"\\\\"}', { 'a\\': '\\' }],
  ['{"":":"}', { '': ':' }],
  ['{"__proto__":1}', JSON.parse('{"__proto__":1}')],
  ['":"', ':'],
])('%s has no duplicate member', (text, value) => {
  expect(parseStrictJson(text)).toEqual(value);
});

test.each(['{"a":1,"a":1}', '{"a":1,"\\u0061":1}', '{"__proto__":1,"__proto__":2}', '[{"":1,"":1}]'])(
  '%s is refused',
  (text) => {
    expect(() => parseStrictJson(text)).toThrow(SyntaxError);
  },
);

test('many quotes and many backslashes take linear time', () => {
  const began = process.cpuUsage();
  parseStrictJson(JSON.stringify({ a: '\\'.repeat(1_000_000), b: '"'.repeat(1_000_000) }));
  expect(process.cpuUsage(began).user / 1000, 'milliseconds').toBeLessThan(1000);
});
