import { describe, expect, test } from 'vitest';
import { createAuthorizationRules } from '../../src/authorization/authorization-rules.js';
import { toCelObject } from '../../src/authorization/expressions/cel-values.js';
import { evaluateTogether } from '../../src/authorization/expressions/evaluation.js';
import { compileExpression } from '../../src/authorization/expressions/expression.js';
import { evaluate, type Given } from '../support/evaluated-expression.js';

const BIG = 2 ** 60;

describe('coalesce() is the first value that is neither missing nor null, as in agentgateway', () => {
  test.each<[string, Given, unknown]>([
    ['coalesce(jwt.a, "b") == "a"', { jwt: { a: 'a' } }, true],
    ['coalesce(jwt.a, "b") == "b"', {}, true],
    ['coalesce(jwt.a, "b") == "b"', { jwt: { a: null } }, true],
    ['coalesce(jwt.a, "b") == ""', { jwt: { a: '' } }, true],
    ['coalesce(jwt.a, true)', { jwt: { a: false } }, false],
    ['coalesce(jwt.a.b["c"], apiKey.group, jwt.d[0], "z") == "z"', { jwt: { d: [] } }, true],
    ['coalesce(apiKey.group, jwt.group) == "a"', { jwt: { group: 'a' } }, true],
    ['coalesce({"a": 1}["b"], {"a": 2}["a"], 3) == 2', {}, true],
    ['coalesce(null) == null && coalesce(jwt.a, null, jwt.b) == null', {}, true],
    ['coalesce(jwt.a, 1 / 0) == 1', { jwt: { a: 1 } }, true],
    ['jwt.list.all(each, coalesce(each.kind, "a") == "a")', { jwt: { list: [{}, { kind: 'a' }] } }, true],
  ])('%s with %j', (text, given, outcome) => expect(evaluate(text, given)).toBe(outcome));

  test.each<[string, Given, string]>([
    ['coalesce(apiKey.group, apiKey.team) == "a"', {}, 'absent'],
    ['coalesce(apiKey.group, jwt.group) == "a"', {}, 'no_such_key'],
    ['coalesce(jwt.group, apiKey.group) == "a"', {}, 'no_such_key'],
    ['coalesce(1 / 0, 1) == 1', {}, 'division_by_zero'],
    ['coalesce(json(jwt.a).b, "c") == "c"', { jwt: { a: '{' } }, 'malformed_json'],
    ['coalesce(mcp.tool.arguments.n + 1, 0) > 5', { args: { n: BIG } }, 'unsupported_type'],
    ['coalesce(mcp.tool.arguments.n, 0) > 5', { args: { n: BIG } }, 'unsupported_type'],
    ['coalesce(mcp.tool.arguments.list[1], 0) == 0', { args: { list: [BIG] } }, 'unsupported_type'],
    ['coalesce(jwt.a, 0) > 5', { jwt: { a: '6' } }, 'no_such_overload'],
  ])('%s with %j fails: %s', (text, given, code) => expect(evaluate(text, given)).toBe(code));

  test('a deny rule denies if a value before the last one fails, and if a token has none of the claims', () => {
    const decide = (text: string, jwt: Record<string, unknown> | undefined) => {
      const rules = [{ kind: 'deny' as const, expression: compileExpression(text), at: 'rules[0]', scopes: [] }];
      const variables = { jwt: jwt && toCelObject(jwt), apiKey: undefined, request: {}, source: {}, mcp: {} };
      const input = { variables: variables as never, scopes: new Set<string>(), hasLongArguments: false };
      return evaluateTogether(() => createAuthorizationRules(rules as never, () => undefined).decide(input)).isAllowed;
    };
    const group = 'coalesce(jwt.group, apiKey.group) == "guests"';
    const callers = [{ group: 'guests' }, { group: 'staff' }, {}, undefined];
    expect(callers.map((jwt) => decide(group, jwt))).toEqual([false, true, false, true]);
    expect(decide('coalesce(int(jwt.level), 9) < 3', { level: 'x' })).toBe(false);
  });

  test('a member that is looked for and not found counts as work, also in default()', () => {
    const given = { jwt: { list: Array.from({ length: 4_000 }, () => []) } };
    for (const name of ['coalesce', 'default'])
      expect(evaluate(`jwt.list.all(each, ${name}(each[0], 1) == 1)`, given)).toBe('too_much_work');
    const objects = { jwt: { list: Array.from({ length: 4_000 }, () => ({})) } };
    expect(evaluate('jwt.list.all(each, default(each.a.b, 1) == 1)', objects)).toBe(true);
  });
});
