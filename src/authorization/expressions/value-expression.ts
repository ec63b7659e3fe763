import type { CallVariables } from './call-variables.js';
import { evaluateTogether, valueWith } from './evaluation.js';
import { parseExpression } from './expression.js';

/** An expression with a value of any type, ready for any number of calls. */
export interface ValueExpression {
  /** The paths of the variables that it reads, for example `request.path`. */
  readonly reads: ReadonlySet<string>;
  /** The type of its value, for example `string`; `dyn` if only a call shows it. */
  readonly type: string | undefined;
  /** Returns undefined if the expression fails, for example because the call has no such variable. Never throws. */
  evaluate(variables: CallVariables): unknown;
}

/**
 * Compiles a CEL expression whose value is recorded.
 *
 * @param about Only a call that has ended has an outcome.
 * @throws {ExpressionError} If it does not parse, its types do not fit, it names a variable that cannot exist, or it is too large.
 */
export function compileValueExpression(text: string, about: 'call' | 'ended call' = 'call'): ValueExpression {
  const { parsed, type, variables } = parseExpression(text, about);
  return Object.freeze({
    reads: variables,
    type,
    evaluate: (given: CallVariables) => evaluateTogether(() => valueWith(given, parsed)),
  });
}
