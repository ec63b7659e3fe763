import { describe, expect, test } from 'vitest';
import { evaluate, type Given } from '../support/evaluated-expression.js';

/** Values that are no numbers, and that JavaScript compares with numbers. */
const NO_NUMBERS = ['1e3', '1000 USD', '0x10', '', [1, 2], { v: 1 }, true];

describe('default() checks the type of what it finds, as CEL does', () => {
  test.each(NO_NUMBERS.map((n) => [n]))('%j is no number', (n) => {
    for (const operator of ['>', '<', '>=', '<='])
      expect(evaluate(`default(mcp.tool.arguments.n, 0) ${operator} 100`, { args: { n } })).toMatch(/_overload$/);
    expect(evaluate('default(mcp.tool.arguments.n, 1) + 1 > 0', { args: { n } })).toMatch(/_overload$/);
    expect(evaluate('-default(mcp.tool.arguments.n, 1) > 0', { args: { n } })).toMatch(/_overload$/);
  });

  test.each([['no'], [''], [0], [1], [[]], [{}]])('%j is not true or false', (value) => {
    const given = { args: { value } };
    for (const text of [
      '!default(mcp.tool.arguments.value, true)',
      'default(mcp.tool.arguments.value, true) ? false : true',
    ])
      expect(typeof evaluate(text, given)).toBe('string');
    expect(evaluate('default(mcp.tool.arguments.value, false)', given)).not.toBe(true);
    expect(evaluate('default(mcp.tool.arguments.value, false) && true', given)).not.toBe(true);
  });

  test.each([['admin'], [7], [true]])('%j is no list', (roles) => {
    expect(evaluate('"admin" in default(jwt.roles, [])', { jwt: { roles } })).toMatch(/_overload$/);
    expect(evaluate('default(jwt.roles, []).contains("other")', { jwt: { roles: 7 } })).toMatch(/_overload$/);
  });

  test.each([[['etc']], [{ etc: 1 }], [5], [true]])('%j is no text', (path) => {
    for (const text of [
      'default(mcp.tool.arguments.path, "").startsWith("/etc")',
      'default(mcp.tool.arguments.path, "").matches("etc")',
      'default(mcp.tool.arguments.path, "").lowerAscii() == "etc"',
    ])
      expect(evaluate(text, { args: { path } })).toMatch(/_overload$/);
  });

  test.each<[string, Given, boolean]>([
    ['default(mcp.tool.arguments.n, 0) > 100', { args: { n: 1000 } }, true],
    ['default(mcp.tool.arguments.n, 0) > 100', { args: { n: 100.5 } }, true],
    ['default(mcp.tool.arguments.n, 0) > 100', {}, false],
    ['default(mcp.tool.arguments.n, 101) > 100', { args: { n: null } }, true],
    ['!default(mcp.tool.arguments.force, false)', {}, true],
    ['"admin" in default(jwt.roles, [])', { jwt: { roles: ['admin'] } }, true],
    ['"admin" in default(jwt.roles, [])', {}, false],
    ['default(jwt.path, "/").startsWith("/a")', { jwt: { path: '/a/b' } }, true],
  ])('%s of %j is %s', (text, given, outcome) => expect(evaluate(text, given)).toBe(outcome));
});
