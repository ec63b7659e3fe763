import { expect } from 'vitest';
import { createAuthorizationRules } from '../../src/authorization/authorization-rules.js';
import { toCelObject } from '../../src/authorization/expressions/cel-values.js';
import { compileExpression } from '../../src/authorization/expressions/expression.js';
import { evaluate } from './evaluated-expression.js';

/** The arguments of a call, as a client writes them. */
export const ARGS = `{
  "n": 1, "zero": -0.0, "half": 1.5, "less": -1, "big": 9007199254740993, "huge": 1e400, "s": "1", "yes": true, "no": null,
  "ids": [1, 2], "mixed": ["a", 1, null, true, [1], {"id": 1}], "nested": [[1], [2]], "objects": [{"id": 1}, {"id": 2}],
  "m": {"1": "x", "a": 1}, "bigs": [1, 9007199254740993], "late": {"a": 1, "b": 9007199254740993},
  "lates": [{"id": 1}, {"id": 9007199254740993}], "one": ["a"], "empty": {}, "proto": "constructor",
  "at": "2024-01-01T00:00:00Z", "for": "60s", "host": "10.1.2.3"
}`;

const args = JSON.parse(ARGS);

/** `a.` stands for the arguments. */
export const written = (text: string) => text.replace(/(?<![\w".])a\./g, 'mcp.tool.arguments.');

/** True if a call with these arguments is allowed by a single rule. */
function isAllowed(kind: 'allow' | 'deny', text: string): boolean {
  const authorizationRules = createAuthorizationRules(
    [{ kind, expression: compileExpression(text), scopes: [], at: 'rules[0]' }],
    () => undefined,
  );
  const mcp = { tool: { name: 'echo', target: undefined, arguments: toCelObject(args) } };
  const variables = { jwt: undefined, apiKey: undefined, request: {} as never, source: {} as never, mcp };
  return authorizationRules.decide({ variables, scopes: new Set(), hasLongArguments: false }).isAllowed;
}

/** The value, or the code of a failure: then a rule to allow does not, and a rule to deny does. */
export type Outcome =
  | true
  | false
  | 'no_such_overload'
  | 'no_matching_overload'
  | 'unsupported_type'
  | 'index_out_of_bounds'
  | 'no_such_key';

export function expectOutcome(text: string, outcome: Outcome): void {
  const rule = written(text);
  expect({
    outcome: evaluate(rule, { args }),
    allow: isAllowed('allow', rule),
    deny: isAllowed('deny', rule),
  }).toEqual({ outcome, allow: outcome === true, deny: outcome === false });
}
