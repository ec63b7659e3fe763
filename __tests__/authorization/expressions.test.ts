import { describe, expect, test } from 'vitest';
import { compileExpression } from '../../src/authorization/expressions/expression.js';
import { evaluate, type Given } from '../support/evaluated-expression.js';

test.each<[text: string, given: Given, outcome: unknown]>([
  // Numbers: JSON has one kind, CEL has two.
  ['jwt.level > 5', { jwt: { level: 6 } }, true],
  ['jwt.level == 6', { jwt: { level: 6 } }, true],
  ['jwt.level + 1 == 7', { jwt: { level: 6 } }, true],
  ['jwt.level == 6.5', { jwt: { level: 6.5 } }, true],
  ['jwt.level in [5, 6]', { jwt: { level: 6 } }, true],
  ['6 in jwt.levels', { jwt: { levels: [5, 6] } }, true],
  ['jwt.id == 9007199254740992', { jwt: { id: 2 ** 53 } }, 'unsupported_type'],
  ['jwt.id > 5', { jwt: { id: 1e20 } }, 'unsupported_type'],
  ['has(jwt.id)', { jwt: { id: 2 ** 53 } }, 'unsupported_type'],
  ['9007199254740993 in jwt.ids', { jwt: { ids: [1, 2 ** 53] } }, 'unsupported_type'],
  ['default(jwt.id, 1) == 1', { jwt: { id: 2 ** 53 } }, 'unsupported_type'],
  ['jwt.other == 1', { jwt: { id: 2 ** 53, other: 1 } }, true],
  ['mcp.tool.arguments.n == 9007199254740992', { args: { n: 2 ** 53 } }, 'unsupported_type'],
  ['int(1e30) > 0', {}, 'numeric_overflow'],
  ['int(jwt.n) > 0', { jwt: { n: 1.5 } }, true],
  ['int("") == 0', {}, 'malformed_text'],
  ['int(" 5") == 5', {}, 'malformed_text'],
  ['int("0b101") == 5', {}, 'malformed_text'],
  ['int("-5") == -5', {}, true],
  ['uint("") == 0u', {}, 'malformed_text'],
  ['double("0x10") == 16.0', {}, 'malformed_text'],
  ['double("1.5e2") == 150.0', {}, true],

  // Texts.
  ['"\\u212a".lowerAscii() == "k"', {}, false],
  ['"ABC".lowerAscii() == "abc" && "aſ".upperAscii() == "Aſ"', {}, true],
  ['mcp.tool.name.matches("^e.*o$")', {}, true],
  ['matches(mcp.tool.name, "ch")', {}, true],
  ['jwt.sub.matches("^(a+)+$")', { jwt: { sub: `${'a'.repeat(60)}!` } }, false],
  ['["echo", "add"].exists(n, n.matches("^ad"))', {}, true],
  ['timestamp("Mon, 25 Dec 1995 13:30:00 GMT") > timestamp("2000-01-01T00:00:00Z")', {}, 'malformed_text'],
  ['timestamp("2024-01-01T00:00:00Z").getFullYear() == 2024', {}, true],
  ['timestamp("2024-01-01T00:00:00Z").getHours("Nowhere") == 1', {}, 'malformed_text'],
  ['duration(jwt.d) > duration("30m")', { jwt: { d: '1h' } }, true],

  // Members.
  ['jwt.constructor == "x"', {}, 'no_such_key'],
  ['has(jwt.constructor) || has(jwt.__proto__) || has(jwt.toString)', {}, false],
  ['"constructor" in jwt', {}, false],
  [
    'jwt.constructor == "x" && jwt["__proto__"] == "y"',
    { jwt: JSON.parse('{"constructor":"x","__proto__":"y"}') },
    true,
  ],
  ['has(jwt.role) && jwt.role == null', { jwt: { role: null } }, true],
  ['has(jwt.nested.key)', {}, 'no_such_key'],
  ['has(jwt.nested.key)', { jwt: { nested: {} } }, false],
  ['has(jwt.nested.key)', { jwt: { nested: { key: 0 } } }, true],
  ['jwt.nested == {"a": 1}', { jwt: { nested: { a: 1 } } }, true],
  ['jwt["https://example.com/roles"][0] == "a"', { jwt: { 'https://example.com/roles': ['a'] } }, true],
  ['jwt.roles.size() == 0', { jwt: { roles: [] } }, true],

  // Functions that agentgateway adds.
  ['jwt.roles.contains("admin")', { jwt: { roles: ['user', 'admin'] } }, true],
  ['jwt.roles.contains(2)', { jwt: { roles: [1, 2] } }, true],
  ['jwt.roles.contains("2")', { jwt: { roles: [1, 2] } }, false],
  ['jwt.roles.contains(1)', { jwt: { roles: [true, [1], '1', null] } }, false],
  ['jwt.roles.contains(0.0)', { jwt: { roles: [false, [], '', null] } }, false],
  ['jwt.roles.contains(1.0)', { jwt: { roles: [1] } }, true],
  ['jwt.sub.contains("lic")', { jwt: { sub: 'alice' } }, true],
  ['cidr("10.0.0.0/8").containsIP(source.address)', {}, true],
  ['cidr("11.0.0.0/8").containsIP(ip(source.address))', {}, false],
  ['cidr("2001:db8::/32").containsIP("2001:db8::1")', {}, true],
  ['cidr("10.0.0.0/8").containsIP(jwt.ip)', { jwt: { ip: '10.0.0.1.example' } }, 'malformed_text'],
  ['isIP("::1") && !isIP("localhost")', {}, true],
  ['default(jwt.role, "user") == "user"', {}, true],
  ['default(jwt.role, "user") == "admin"', { jwt: { role: 'admin' } }, true],
  ['default(mcp.prompt.name, "none") == "none"', {}, true],
  ['default(jwt.roles[3], "none") == "none"', { jwt: { roles: [] } }, true],
  ['default(request.headers["x-none"], "none") == "none"', {}, true],
  ['default(jwt.a.b["c"], "none") == "none"', {}, true],
  ['default(jwt.a.b["c"], "none") == "none"', { jwt: { a: {} } }, true],
  ['default(jwt.a.b["c"], "none") == "none"', { jwt: { a: { b: { d: 1 } } } }, true],
  ['default(jwt.a.b["c"], "none") == "none"', { jwt: { a: { b: { c: 'x' } } } }, false],
  ['default(jwt.a.b["c"], "none") == "none"', { jwt: { a: { b: 'text' } } }, true],
  ['default(jwt.a.b["c"], "none") == "none"', { jwt: { a: { b: { c: 2 ** 53 } } } }, 'unsupported_type'],
  ['default({"a": 1}.b, 2) == 2', {}, true],
  ['default(default(jwt.a.b, jwt.c).d, 3) == 3', { jwt: { c: { e: 1 } } }, true],
  ['default(bool(jwt.x), false)', { jwt: { x: 'maybe' } }, 'bool_conversion_error'],
  ['json(mcp.tool.arguments.text).user.id == 5', { args: { text: '{"user":{"id":5}}' } }, true],
  ['json(b"[1]")[0] == 1', {}, true],
  ['json(mcp.tool.arguments.text) == 1', { args: { text: '{' } }, 'malformed_json'],
  ['json(mcp.tool.arguments.text).a == 1', { args: { text: '{"a":1,"a":2}' } }, 'malformed_json'],
  ['json(mcp.tool.arguments.text).a == 1', { args: { text: '{"a":9007199254740993}' } }, 'unsupported_type'],
  ['request.headers["x-team"] == "a" && "b" in request.headers["x-many"]', {}, true],
  ['cel.bind(p, jwt.path, p.startsWith("/a") && p.endsWith("b"))', { jwt: { path: '/a/b' } }, true],
])('%s of %j is %s', (text, given, outcome) => {
  expect(evaluate(text, given)).toBe(outcome);
});

describe('an expression is refused when it is compiled', () => {
  test.each<[text: string, message: string, position: number]>([
    ['mcp.tool.name ===', 'Unexpected character: =', 16],
    ['mcp.tool.nmae == "x"', 'mcp.tool.nmae is not a variable; write mcp.tool.name', 9],
    ['true && has(mcp.tool.nmae)', 'mcp.tool.nmae is not a variable; write mcp.tool.name', 21],
    ['has(mcp.tol)', 'mcp.tol is not a variable; write mcp.tool.name', 8],
    ['mcp["tool"].name == "x"', 'mcp is not a variable', 0],
    ['size(mcp.tool) == 1', 'mcp.tool is not a variable', 9],
    ['mcp.tool.result == 1', 'mcp.tool.result is not known when a call is decided on', 9],
    ['request.body == b""', 'request.body is not known when a call is decided on', 8],
    ['source.adress == ""', 'source.adress is not a variable; write source.address', 7],
    ['tool.name == "x"', 'Unknown variable: tool', 0],
    ['mcp.tool.name == 5', 'no such overload: string == int', 0],
    ['mcp.tool.name', 'it is of type string, not true or false', 0],
    ['mcp.tool.name.lowerASCII() == "x"', "found no matching overload for 'string.lowerASCII()'", 0],
    ['mcp.tool.name.matches(5)', 'the pattern of matches must be a text in quotes', 22],
    ['mcp.tool.name.matches(jwt.pattern)', 'the pattern of matches must be a text in quotes', 26],
    ['mcp.tool.name.matches("(a")', 'the pattern of matches is not valid', 22],
    ['mcp.tool.name.matches("(a)\\\\1")', 'the pattern of matches is not valid', 22],
    ['cidr("10.0.0.0/33").containsIP(source.address)', 'cidr() needs a range such as "10.0.0.0/8"', 5],
    ['b"{}".json().a == 1', 'json() is a function; write json(…)', 0],
    ['[1].exists(jwt, jwt == 1)', 'jwt is a variable already; choose another name', 11],
    ['cel.bind(mcp, 1, mcp == 1)', 'mcp is a variable already; choose another name', 9],
    ['[1].all(a, [1].all(b, [1].all(c, c == 1)))', 'macros may be nested 2 deep', 22],
    ['jwt.?sub == ""', 'Expected IDENTIFIER, got QUESTION', 4],
  ])('%s', (text, message, position) => {
    expect(() => compileExpression(text)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message), position }),
    );
  });
});

test.each<[what: string, text: string, message: string, position: number]>([
  ['60 parentheses', `${'('.repeat(60)}true${')'.repeat(60)}`, 'Exceeded maxDepth (50)', 50],
  ['600 nodes', Array.from({ length: 300 }, () => 'true').join('||'), 'Exceeded maxAstNodes (500)', 0],
  ['more than 4 KiB', `"${'x'.repeat(4_096)}" == ""`, 'it is longer than 4096 bytes', 0],
])('an expression with %s is refused', (_what, text, message, position) => {
  expect(() => compileExpression(text)).toThrow(expect.objectContaining({ message, position }));
});

describe('the work of expressions is bounded', () => {
  const list = (length: number) => Array.from({ length }, (_, i) => i);
  const exists = 'jwt.list.exists(x, x < 0)';
  const nested = 'jwt.list.exists(x, jwt.list.exists(y, x + y < 0))';

  test.each<[what: string, text: string, length: number, outcome: unknown]>([
    ['5,000 rounds', exists, 5_000, false],
    ['5,001 rounds', exists, 5_001, 'list_too_long'],
    ['256 rounds within 256', nested, 256, false],
    ['257 rounds within 257', nested, 257, 'list_too_long'],
    [
      'a list that an expression has made',
      'jwt.list.map(x, x).exists(x, jwt.list.map(y, y).size() < 0)',
      257,
      'list_too_long',
    ],
    ['5,000 searches in a list of 5,000', 'jwt.list.all(x, x in jwt.list)', 5_000, 'too_much_work'],
    ['50 searches in a list of 50', 'jwt.list.all(x, x in jwt.list)', 50, true],
    [
      'lists that are added',
      `size(${Array.from({ length: 120 }, () => 'jwt.list').join('+')}) > 0`,
      5_000,
      'too_much_work',
    ],
  ])('%s', (_what, text, length, outcome) => {
    expect(evaluate(text, { jwt: { list: list(length) } })).toBe(outcome);
  });

  test.each<[what: string, text: string, outcome: unknown]>([
    ['one search with a pattern', 'mcp.tool.arguments.text.matches("(a|b)*c")', false],
    [
      'five searches with a pattern',
      Array.from({ length: 5 }, () => 'mcp.tool.arguments.text.matches("(a|b)*c")').join('||'),
      'too_much_work',
    ],
    // Without a bound of its own, each takes 100 to 500 ms.
    ...['a.{14}c$', 'a[ab]{200}c', '(?i)(ab{2}){5}.*c', '\\\\[.{12,}c$', '^b|a.{14}c$'].map(
      (pattern): [string, string, unknown] => [
        `one search with the pattern ${pattern}`,
        `mcp.tool.arguments.text.matches("${pattern}")`,
        'too_much_work',
      ],
    ),
    ...['^[a-z-]{1,63}$', '(?i)^a.{14}c$', 'x{2}.{3}c', '[{14}]c', 'a\\\\{14}c'].map(
      (pattern): [string, string, unknown] => [
        `one search with the pattern ${pattern}`,
        `matches(mcp.tool.arguments.text, "${pattern}")`,
        false,
      ],
    ),
    [
      'a long text in each round',
      'mcp.tool.arguments.list.all(x, mcp.tool.arguments.text + "a" != mcp.tool.arguments.text)',
      'too_much_work',
    ],
    ['a duration', 'duration(mcp.tool.arguments.digits) > duration("1s")', 'malformed_text'],
    ['one comparison of a long text', 'mcp.tool.arguments.text.endsWith("aa")', true],
  ])('%s of 60,000 characters', (_what, text, outcome) => {
    expect(evaluate(text, { args: { text: 'a'.repeat(60_000), digits: '1'.repeat(60_000), list: list(1_000) } })).toBe(
      outcome,
    );
  });

  test('nesting beyond 64 levels cannot be read, and what is beside it can', () => {
    const deep: unknown = JSON.parse('['.repeat(100) + ']'.repeat(100));
    expect(evaluate('size(mcp.tool.arguments.deep) == 1', { args: { deep } })).toBe('unsupported_type');
    expect(evaluate('mcp.tool.arguments.a == 1', { args: { deep, a: 1 } })).toBe(true);
  });
});
