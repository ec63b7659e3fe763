import { ENDED_VARIABLES } from '../../authorization/expressions/call-variables.js';
import { ExpressionError } from '../../authorization/expressions/expression-error.js';
import { compileValueExpression, type ValueExpression } from '../../authorization/expressions/value-expression.js';
import { placeIn } from '../../authorization/read-expression.js';
import type { ConfigNode } from './config-node.js';

/** Reads a CEL expression with a value of any type, about a call that begins or one that has ended. */
export function readValueExpression(node: ConfigNode, about?: 'call' | 'ended call'): ValueExpression {
  const text = node.text();
  try {
    return compileValueExpression(text, about);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const more = about === 'ended call' ? `. An access log also has ${[...ENDED_VARIABLES.keys()].join(', ')}` : '';
    return node.refuse(
      `must be a CEL expression, but is ${JSON.stringify(text)}. ${placeIn(text, error.position)}: ${error.message}${more}`,
    );
  }
}
