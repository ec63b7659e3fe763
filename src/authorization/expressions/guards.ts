import { type CelNode, wrapNode } from './cel-node.js';
import { workOf } from './cel-values.js';
import { charge, ExpressionFault, noteFailure } from './evaluation.js';
import { ExpressionError } from './expression-error.js';
import { Cidr } from './ip-ranges.js';

/** Counts the work that an operator or a function does on an operand. A literal is as long as the expression allows. */
export function chargeOperand(node: CelNode, factor = 1): void {
  if (isLiteral(node)) return;
  wrapNode(node, (evaluator, inner, context) => {
    const value = evaluator.run(inner, context);
    charge(workOf(value) * factor);
    return value;
  });
}

function isLiteral({ op, args }: CelNode): boolean {
  return op === 'value' || (op === 'list' && (args as CelNode[]).every(isLiteral));
}

/** Records the failures of an operand that its operator may ignore. */
export function noteFailures(node: CelNode): void {
  if (isLiteral(node)) return;
  wrapNode(node, (evaluator, inner, context) => {
    // A macro continues after a failure, even after one for too much work. This throws again in that case.
    charge(0);
    try {
      return evaluator.run(inner, context);
    } catch (error) {
      noteFailure(error);
      throw error;
    }
  });
}

/** Counts a fixed amount of work for each evaluation of a node. */
export function chargeFixed(node: CelNode, units: number): void {
  wrapNode(node, (evaluator, inner, context) => {
    charge(units);
    return evaluator.run(inner, context);
  });
}

/** Bounds the rounds of a macro, and counts the work of all of them before the first. */
export function boundIterations(node: CelNode, maxLength: number, unitsPerRound: number): void {
  wrapNode(node, (evaluator, inner, context) => {
    const value = evaluator.run(inner, context);
    const rounds = lengthOf(value);
    if (rounds > maxLength) throw new ExpressionFault('list_too_long');
    charge(rounds * unitsPerRound);
    return value;
  });
}

function lengthOf(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  return value instanceof Map ? value.size : 0;
}

const MAX_FORM_LENGTH = 64;

/**
 * The strings that may be converted. The library itself takes others too: `int("")` is 0, and a long string of digits makes `duration()`
 * search for hours.
 */
const FORMS: ReadonlyMap<string, RegExp> = new Map([
  ['int', /^-?\d{1,19}$/],
  ['uint', /^\d{1,20}$/],
  ['double', /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$|^[+-]?(?:inf(?:inity)?|nan)$/i],
  ['timestamp', /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/],
  ['duration', /^[+-]?(?:\d{1,12}(?:\.\d{0,9})?(?:h|m|s|ms|us|µs|ns)){1,7}$/],
]);

/** Requires the form of a string that a function converts. Does nothing for other functions. */
export function requireForm(name: string, [argument]: readonly CelNode[]): void {
  const form = FORMS.get(name);
  if (form === undefined || argument === undefined) return;
  wrapNode(argument, (evaluator, inner, context) => {
    const value = evaluator.run(inner, context);
    if (typeof value === 'string' && !(value.length <= MAX_FORM_LENGTH && form.test(value)))
      throw new ExpressionFault('malformed_text');
    return value;
  });
}

const [MIN_INT, MAX_INT] = [-(2n ** 63n), 2n ** 63n - 1n];

/** Requires a result that is an `int` of 64 bits. The library's `int(1e30)` is larger. */
export function requireInt64(node: CelNode): void {
  wrapNode(node, (evaluator, inner, context) => {
    const value = evaluator.run(inner, context);
    if (typeof value === 'bigint' && (value < MIN_INT || value > MAX_INT))
      throw new ExpressionFault('numeric_overflow');
    return value;
  });
}

/**
 * Requires a literal range that is valid: another would fail with each call.
 *
 * @throws {ExpressionError}
 */
export function requireRange({ args, pos }: CelNode): void {
  try {
    new Cidr(String(args));
  } catch {
    throw new ExpressionError('cidr() needs a range such as "10.0.0.0/8"', pos);
  }
}
