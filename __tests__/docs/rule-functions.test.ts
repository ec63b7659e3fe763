import { readFileSync } from 'node:fs';
import { Environment } from '@marcbachmann/cel-js';
import { expect, test } from 'vitest';
import { evaluate } from '../support/evaluated-expression.js';

const [, table = '', missing = ''] =
  /\| for \| functions \|\n([\s\S]*?)\n\n(These are not all of CEL[\s\S]*?)\n\n/.exec(
    readFileSync('docs/rules.md', 'utf8'),
  ) as string[];

const namesIn = (text: string) => [...text.matchAll(/`[^`]*`/g)].flatMap(([code]) => code.match(/\w+(?=\(|`)/g) ?? []);

const EXAMPLES: readonly string[] = [
  '"abc".contains("b") && "abc".startsWith("a") && "abc".endsWith("c") && "abc".matches("^a")',
  '"abca".indexOf("a") == 0 && "abca".lastIndexOf("a") == 3 && "abc".substring(1) == "bc"',
  '"a,b".split(",") == ["a", "b"] && " a ".trim() == "a"',
  '"a/b".stripPrefix("a/") == "b" && "a/b".stripSuffix("/b") == "a" && "aba".replace("a", "c") == "cbc"',
  '"aB".lowerAscii() == "ab" && "aB".upperAscii() == "AB"',
  '"abc".size() == 3 && [1].size() == 1 && {"a": 1}.size() == 1',
  '[1, 2].contains(2) && ["a", "b"].join() == "ab"',
  '[1].all(n, n == 1) && [1].exists(n, n == 1) && [1].exists_one(n, n == 1)',
  '[1, 2].filter(n, n == 1) == [1] && [1].map(n, n + 1) == [2]',
  'coalesce(jwt.none, apiKey.none, jwt.role) == "user" && base64Decode("YQ==") == b"a"',
  'has(jwt.role) && default(jwt.none, "a") == "a" && cel.bind(role, jwt.role, role == "user")',
  'type(1) == int && dyn(1) == 1 && bool("true") && int("1") == 1 && uint("1") == 1u && double("1.5") == 1.5',
  'string(1) == "1" && bytes("a") == b"a" && json("[1]") == [1]',
  'timestamp("2024-01-01T00:00:00Z") < timestamp("2024-01-02T00:00:00Z") && duration("1s") < duration("2s")',
  'isIP(source.address) && cidr("10.0.0.0/8").containsIP(ip(source.address))',
  ...['FullYear', 'Month', 'Date', 'DayOfMonth', 'DayOfWeek', 'DayOfYear'].map(
    (part) => `timestamp("2024-06-15T12:30:45.5Z").get${part}("UTC") >= 0`,
  ),
  ...['Hours', 'Minutes', 'Seconds', 'Milliseconds'].map((part) => `duration("2s").get${part}() >= 0`),
  'b"a".size() == 1 && b"a".at(0) == 97 && b"a".string() == "a"',
  'b"a".hex() == "61" && b"a".base64() == "YQ=="',
];

test.each(EXAMPLES)('a rule may be %s', (expression) => {
  expect(evaluate(expression, { jwt: { role: 'user' } })).toBe(true);
});

test('docs/rules.md lists each function that the examples call, and no other', () => {
  const called = EXAMPLES.flatMap((expression) => expression.match(/\w+(?=\()/g) ?? []);
  expect([...new Set(namesIn(table))].sort()).toEqual([...new Set(called)].sort());
});

test('docs/rules.md lists each function of the library but those of optional values', () => {
  const { functions } = new Environment().getDefinitions();
  const names = new Set(functions.map(({ name }) => name));
  const optional = ['hasValue', 'value', 'none', 'of', 'or', 'orValue'];
  expect([...names].filter((name) => !namesIn(table).includes(name) && !optional.includes(name))).toEqual([]);
});

test.each<[name: string, expression: string, message: string]>([
  ['charAt', '"abc".charAt(0) == "a"', 'rules have no function charAt'],
  ['format', '"%s".format(["a"]) == "a"', 'rules have no function format'],
  ['quote', 'strings.quote("a") == "a"', 'Unknown variable: strings'],
  ['reverse', '"abc".reverse() == "cba"', 'rules have no function reverse'],
  ['string', 'string(timestamp("2024-01-01T00:00:00Z")) == "a"', "found no matching overload for 'string("],
  ['int', 'int(timestamp("2024-01-01T00:00:00Z")) == 1', "found no matching overload for 'int("],
  ['<', 'b"a" < b"b"', 'no such overload: bytes < bytes'],
])('%s is said to be missing, and is refused', (name, expression, message) => {
  expect(missing).toContain(`\`${name}`);
  expect(() => evaluate(expression)).toThrow(message);
});
