import type { OptionChecks } from '../options/checks.js';
import { compileExpression, type Expression } from './expressions/expression.js';
import { ExpressionError } from './expressions/expression-error.js';

/** Compiles the expression of an option. */
export function readExpression(
  checks: OptionChecks,
  text: string,
  option: string,
  about?: 'call' | 'login',
): Expression {
  try {
    return compileExpression(text, about);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return checks.refuse(option, 'a CEL expression', text, `${placeIn(text, error.position)}: ${error.message}.`);
  }
}

/** A place in an expression, for messages. */
export function placeIn(text: string, position: number): string {
  const lines = text.slice(0, position).split('\n');
  const column = `column ${(lines.at(-1) as string).length + 1}`;
  return text.includes('\n') ? `Line ${lines.length}, ${column}` : `C${column.slice(1)}`;
}
