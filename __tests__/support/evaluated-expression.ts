import { toCelObject } from '../../src/authorization/expressions/cel-values.js';
import { evaluateTogether } from '../../src/authorization/expressions/evaluation.js';
import { compileExpression } from '../../src/authorization/expressions/expression.js';

export interface Given {
  readonly jwt?: Record<string, unknown>;
  readonly args?: Record<string, unknown>;
}

const HEADERS = { 'x-team': 'a', 'x-many': ['a', 'b'] };

/** The outcome of an expression for a tool call, and the code of its failure. */
export function evaluate(text: string, { jwt = {}, args = {} }: Given = {}): unknown {
  let code: string | undefined;
  const variables = {
    jwt: toCelObject(jwt),
    apiKey: undefined,
    request: { path: '/mcp', headers: toCelObject(HEADERS) } as never,
    source: { address: '10.1.2.3', port: 5n },
    mcp: { tool: { name: 'echo', target: undefined, arguments: toCelObject(args) } },
  };
  const expression = compileExpression(text);
  const outcome = evaluateTogether(() =>
    expression.evaluate(variables, (given) => {
      code = given;
    }),
  );
  return code ?? outcome;
}
