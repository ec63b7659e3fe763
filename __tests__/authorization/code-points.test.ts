import { expect, test } from 'vitest';
import { evaluate } from '../support/evaluated-expression.js';
import { createRuledApp, toolCall } from '../support/ruled-app.js';

const PATH = 'mcp.tool.arguments.path';

test.each<[expression: string, outcome: unknown]>([
  ['size("a😀b") == 3', true],
  ['"a😀b".substring(2) == "b"', true],
  ['"a😀b".substring(3) == ""', true],
  ['"a😀b".substring(1, 2) == "😀"', true],
  ['"a😀b".substring(0, 3) == "a😀b"', true],
  ['"a😀b".substring(4) == ""', 'index_out_of_range'],
  ['"a😀b".substring(-1) == ""', 'index_out_of_range'],
  ['"a😀b".substring(0, 4) == ""', 'index_out_of_range'],
  ['"a😀b".substring(2, 1) == ""', 'index_out_of_range'],
  ['"abc".substring(9223372036854775807) == ""', 'index_out_of_range'],
  ['"a😀b".indexOf("b") == 2', true],
  ['"a😀b".indexOf("x") == -1', true],
  ['"a😀b".indexOf("") == 0', true],
  ['"b😀b".indexOf("b", 1) == 2', true],
  ['"b😀b".indexOf("b", 2) == 2', true],
  ['"b😀b".indexOf("", 3) == 3', true],
  ['"b😀b".indexOf("b", 3) == 2', 'index_out_of_range'],
  ['"b😀b".lastIndexOf("b") == 2', true],
  ['"b😀b".lastIndexOf("b", 1) == 0', true],
  ['"b😀b".lastIndexOf("") == 3', true],
  ['"a😀b".split("") == ["a", "😀", "b"]', true],
  ['"a😀b".split("", 2) == ["a", "😀b"]', true],
  ['"a,b,c".split(",", 2) == ["a", "b,c"]', true],
  ['"a,b,c".split(",", 0) == []', true],
  ['"a,b,c".split(",", -1) == ["a", "b", "c"]', true],
])('texts are counted and cut by characters: %s is %j', (expression, outcome) => {
  expect(evaluate(expression)).toBe(outcome);
});

test.each(['/a/.env', '/😀/.env', '/😀😀😀😀😀/.env', '😀.env'])(
  'a rule about the end of a text denies %s',
  async (path) => {
    const { post } = createRuledApp({ rules: [{ deny: `${PATH}.substring(size(${PATH}) - 4) == ".env"` }] });
    expect((await post(toolCall('read', { path }))).body.error.code).toBe(-32602);
    expect((await post(toolCall('read', { path: `${path}x` }))).body.through).toBe(true);
  },
);
