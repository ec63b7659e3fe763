import { describe, test } from 'vitest';
import { expectOutcome, type Outcome } from '../support/argument-rules.js';

describe('a type equals only a type: a rule that forgets type() is a failure', () => {
  const TYPES = ['string', 'bool', 'int', 'uint', 'double', 'map', 'list', 'bytes', 'null_type', 'type'];
  const VALUES = ['a.s', 'a.n', 'a.half', 'a.yes', 'a.no', 'a.ids', 'a.m', 'dyn(1u)', 'dyn(b"1")', 'dyn(ip(a.host))'];
  test.each(
    [...TYPES, 'google.protobuf.Timestamp'].flatMap((type) =>
      VALUES.flatMap((value) => [
        `${value} == dyn(${type})`,
        `dyn(${type}) != ${value}`,
        `${value} in [${type}]`,
        `[${value}].contains(${type})`,
      ]),
    ),
  )('%s', (text) => expectOutcome(text, 'no_such_overload'));

  test.each<[string, Outcome]>([
    ['a.s == string', 'no_such_overload'],
    ['a.s in [int, string]', 'no_such_overload'],
    ['a.ids.contains(int)', 'no_such_overload'],
    ['a.ids == [int, int]', 'no_such_overload'],
    ['{"id": int} == a.objects[0]', 'no_such_overload'],
    ['dyn(type(a.s)) == "string"', 'no_such_overload'],
    ['type(a.s) in [int, string] && [int, string].contains(type(a.s)) && type(a.s) == string', true],
    ['type(a.s) in [int, list] || type(a.n) == type(a.s) || type(a.half) == int', false],
    ['type(timestamp(a.at)) == google.protobuf.Timestamp && type(int) == type && type(a.no) == null_type', true],
  ])('%s is %s', (text, outcome) => expectOutcome(text, outcome));
});
