import { ExpressionError } from '../../authorization/expressions/expression-error.js';
import { compileValueExpression, type ValueExpression } from '../../authorization/expressions/value-expression.js';
import { placeIn } from '../../authorization/read-expression.js';
import type { ConfigNode } from './config-node.js';

/** Reads a CEL expression with a value of any type. */
export function readValueExpression(node: ConfigNode): ValueExpression {
  const text = node.text();
  try {
    return compileValueExpression(text);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return node.refuse(
      `must be a CEL expression, but is ${JSON.stringify(text)}. ${placeIn(text, error.position)}: ${error.message}`,
    );
  }
}
