import { describe, expect, test } from 'vitest';
import { ARGS, expectOutcome, type Outcome, written } from '../support/argument-rules.js';
import { createRuledApp } from '../support/ruled-app.js';

describe('a number equals one of another type', () => {
  test.each(
    ['1', '1u', '1.0', 'uint(a.s)', 'double(a.n)', 'default(a.none, 1u)'].flatMap((one) => [
      `a.n == ${one}`,
      `${one} == a.n`,
      `!(a.n != ${one})`,
      `a.half > ${one} && a.less < ${one} && ${one} <= a.n`,
      `a.n in [${one}]`,
      `a.n in [5, "a", ${one}]`,
      `${one} in a.ids`,
      `${one} in a.mixed`,
      `a.ids.contains(${one})`,
      `a.mixed.contains(${one})`,
      `[${one}].contains(a.n)`,
      `[${one}, 2.0] == a.ids`,
      `!([2, ${one}, 2] != [2, a.n, 2])`,
      `[${one}] in a.nested`,
      `a.nested.contains([${one}])`,
      `{"id": ${one}} == a.objects[0]`,
      `a.objects[0] in [{"id": ${one}}]`,
      `a.objects.contains({"id": ${one}})`,
      `[[1.0], [${one}]].exists(list, a.n in list)`,
      `a.ids.exists(id, id in [${one}]) && a.ids.exists_one(id, [${one}].contains(id))`,
      `a.ids.filter(id, id in [${one}]).size() == 1`,
      `[${one}].all(id, id in a.ids)`,
      `cel.bind(x, ${one}, x in a.ids)`,
      `a.ids[${one}] == 2`,
      `(a.yes ? ${one} : a.n) in a.ids`,
      `a.n in {${one}: "x"} && {${one}: "x"}[a.n] == "x"`,
      `json("[1]") == [${one}]`,
    ]),
  )('%s', (text) => expectOutcome(text, true));

  test.each<[string, boolean]>([
    ['3u in a.ids', false],
    ['a.half in [1, 1u, 2u]', false],
    ['a.half in [1u, 1.5]', true],
    ['a.zero == 0 && a.zero in [0u] && a.zero in [0.0] && a.zero in [-0.0]', true],
    ['a.less in [18446744073709551615u]', false],
    ['a.huge > 18446744073709551615u && !(a.huge in [1u])', true],
    ['double("nan") in [double("nan"), 1u]', false],
    ['[double("nan")] != [double("nan")]', true],
    ['1u in a.ids || a.none == 1', true],
    ['1 in a.one', false],
    ['a.s == 1 || a.s == 1u || a.s in [1u] || 1u in [a.s]', false],
    ['a.yes == 1u || a.yes in [1u, 1] || a.no in [0u] || a.no == 0u', false],
    ['a.no in [null] && null in a.mixed && a.mixed.contains(null)', true],
    ['type(a.n) != int || a.n == 1', true],
    ['type(a.s) != int || a.s == 1', true],
  ])('%s is %s', (text, outcome) => expectOutcome(text, outcome));
});

describe('a key of another type than those of a map is a failure', () => {
  test.each<[string, Outcome]>([
    ['1 in a.m', 'no_such_overload'],
    ['!(1u in a.m)', 'no_such_overload'],
    ['a.m[1] == "x"', 'no_such_overload'],
    ['default(a.m[1u], "none") == "x"', 'no_such_overload'],
    ['a.yes in a.m', 'no_such_overload'],
    ['a.no in a.m', 'no_such_overload'],
    ['a.s in a.m && a.m[a.s] == "x" && "a" in a.m', true],
    ['"b" in a.m', false],
    ['1 in a.empty', false],
    ['a.n in {"1": true}', 'no_such_overload'],
    ['a.s in {1: true}', 'no_such_overload'],
    ['a.one in {"a": true}', 'no_such_overload'],
    ['{"a": true}[a.one]', 'no_such_overload'],
    ['a.no in {"null": true}', 'no_such_overload'],
    // Numbers are equal by their value, so a fraction is another number.
    ['a.half in {1: "x"} || a.half in {1u: "x"} || a.n in {1.5: "x"}', false],
    ['a.half in {1: "x", 1.5: "y"} && {1: "x", 1.5: "y"}[a.half] == "y"', true],
    ['{1: "x"}[a.half] == "x"', 'no_such_key'],
    ['default({1: "x"}[a.half], "none") == "none"', true],
    ['{a.no: 1}.size() == 1', 'no_such_overload'],
    ['a.m == {1: "x", "a": 1}', false],
    ['a.m == {"1": "x", "a": 1u}', true],
    ['{1: "x"}.exists(key, key == a.n)', true],
    ['default(a.ids[a.s], 5) == 5', 'no_such_overload'],
    ['default(a.ids[a.half], 5) == 5', 'no_such_overload'],
    ['a.ids[7u] == 1', 'index_out_of_bounds'],
    ['a.proto in {"constructor": true, "__proto__": true}', true],
    ['"__proto__" in {"__proto__": true} && {"prototype": 1}[a.proto + ""] == 1', 'no_such_key'],
    ['{"constructor": true} == a.empty || a.empty == {"__proto__": 1}', false],
    ['a.empty == {} && {} == a.empty && {}.size() == 0', true],
  ])('%s is %s', (text, outcome) => expectOutcome(text, outcome));
});

describe('a number beyond 2^53 is a failure wherever it is read', () => {
  test.each<[string, Outcome]>([
    ['a.big == 1u', 'unsupported_type'],
    ['a.big in [1u]', 'unsupported_type'],
    ['1u in a.bigs', 'unsupported_type'],
    ['a.late == {"a": 1, "b": 9007199254740993}', 'unsupported_type'],
    ['a.late != {"a": 1, "b": 1}', 'unsupported_type'],
    ['{"a": 1, "b": 1} in [a.late]', 'unsupported_type'],
    ['{"id": 9007199254740993} in a.lates', 'unsupported_type'],
    ['a.lates.contains({"id": 9007199254740993})', 'unsupported_type'],
    ['a.lates.exists(item, item == {"id": 9007199254740993})', 'unsupported_type'],
    ['a.lates.exists(item, has(item.id) && item.id > 1)', 'unsupported_type'],
    ['"b" in a.late', 'unsupported_type'],
    ['"a" in a.late && a.late.a == 1', true],
    // It is another object, whatever the number is.
    ['a.late == {"a": 2, "b": 1}', false],
  ])('%s is %s', (text, outcome) => expectOutcome(text, outcome));
});

describe('a value of a type that JSON does not have', () => {
  test.each<[string, Outcome]>([
    ['a.at == timestamp("2024-01-01T00:00:00Z")', 'no_such_overload'],
    ['a.at in [timestamp("2024-01-01T00:00:00Z")]', 'no_such_overload'],
    ['a.at != timestamp("2024-01-01T00:00:00Z")', 'no_such_overload'],
    ['timestamp(a.at) in [timestamp("2024-01-01T01:00:00+01:00")]', true],
    ['[timestamp(a.at)].contains(timestamp("2024-01-01T00:00:00Z"))', true],
    ['a.for == duration("1m")', 'no_such_overload'],
    ['duration(a.for) in [duration("1m")] && [duration("1m")].contains(duration(a.for))', true],
    ['a.s == b"1"', 'no_such_overload'],
    ['bytes(a.s) in [b"1"] && [b"1"].contains(bytes(a.s)) && bytes(a.s) != b"2"', true],
    ['a.host == ip("10.1.2.3")', 'no_such_overload'],
    ['ip(a.host) in [ip("10.1.2.3")] && [ip("10.1.2.3")].contains(ip(a.host))', true],
    ['ip(a.host) in [ip("10.1.2.4")]', false],
    ['ip("::1") in [ip("0:0:0:0:0:0:0:1")]', true],
    ['ip(a.host) in [ip("::ffff:10.1.2.3")] && ip("::ffff:10.1.2.3") in [ip(a.host)]', true],
    ['dyn(cidr("10.0.0.0/8")) == dyn(cidr("10.1.0.0/8"))', 'no_such_overload'],
  ])('%s is %s', (text, outcome) => expectOutcome(text, outcome));
});

describe('has() asks only objects', () => {
  test.each<[string, Outcome]>([
    ['has(a.m.a) && !has(a.m.b)', true],
    ['has(a.s.force)', 'no_such_overload'],
    ['has(a.no.force)', 'no_such_overload'],
    ['has(a.objects.id)', 'no_such_overload'],
    ['a.objects.all(item, has(item.id) && !has(item.name))', true],
    ['a.mixed.exists(item, has(item.name))', 'no_such_overload'],
    ['cel.bind(x, a.s, !has(x.force))', 'no_such_overload'],
  ])('%s is %s', (text, outcome) => expectOutcome(text, outcome));
});

describe('a function on a value of another type is a failure', () => {
  test.each<[string, Outcome]>([
    ['a.n.startsWith("1")', 'no_matching_overload'],
    ['a.n.matches("1")', 'no_matching_overload'],
    ['a.ids.lowerAscii() == "1"', 'no_matching_overload'],
    ['size(a.n) == 1', 'no_matching_overload'],
    ['a.s < 2u', 'no_such_overload'],
    ['a.no < 1u', 'no_such_overload'],
    ['a.n + 1u > 0u', 'no_such_overload'],
    ['size(a.ids) > 1u && a.ids.size() in [2] && size(a.ids) == a.ids[1]', true],
  ])('%s is %s', (text, outcome) => expectOutcome(text, outcome));
});

test.each([
  '1u in a.ids',
  'a.ids.contains(1u)',
  'a.ids == [1u, 2u]',
  'a.m == {"1": "x", "a": 1u}',
  '1 in a.m',
  '{"id": 9007199254740993} in a.lates',
  'a.at == timestamp("2024-01-01T00:00:00Z")',
  'has(a.s.force)',
  'a.s == string',
  'a.n in [int, string]',
])('over HTTP, a rule to deny denies: %s', async (text) => {
  const { post, received } = createRuledApp({ rules: [{ deny: written(text) }] });
  const call = (given: string) =>
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":${given}}}`;
  expect((await post(call(ARGS))).body.error.message).toBe('Unknown tool: echo');
  expect(received).toEqual([]);
});

test('over HTTP, a number of another type allows', async () => {
  const { post } = createRuledApp({ rules: [written('2u in a.ids')] });
  const call = (ids: number[]) => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'echo', arguments: { ids } },
  });
  expect((await post(call([1, 2]))).body).toEqual({ through: true });
  expect((await post(call([1, 3]))).body.error.message).toBe('Unknown tool: echo');
});
