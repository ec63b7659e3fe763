import { type CelNode, type Evaluator, wrapNode } from './cel-node.js';
import { isEqual, isInList, isInMap, requireKey, requireKeyOf, requireListIndex } from './equality.js';
import { ExpressionFault } from './evaluation.js';
import { durationFrom, requireTime } from './times.js';

/** Does what an operator does on its operands. `otherwise` is what the library does. */
type Operation = (left: unknown, right: unknown, otherwise: (left: unknown, right: unknown) => unknown) => unknown;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  '==': isEqual,
  '!=': (left, right) => !isEqual(left, right),
  '+': (left, right, otherwise) => durationFrom(left, 1n, right) ?? requireTime(otherwise(left, right)),
  '-': (left, right, otherwise) => durationFrom(left, -1n, right) ?? requireTime(otherwise(left, right)),
  in: (value, within, otherwise) => {
    if (Array.isArray(within)) return isInList(value, within);
    return within instanceof Map ? isInMap(value, within) : otherwise(value, within);
  },
  '[]': (object, key, otherwise) => {
    if (Array.isArray(object)) return otherwise(object, requireListIndex(key));
    return otherwise(object, object instanceof Map ? requireKeyOf(object, key) : key);
  },
};

/** Makes an operator compare, and add times, as CEL says. Its types are checked as before. Does nothing for all other operators. */
export function compareByValue(node: CelNode): void {
  const operation = OPERATIONS[node.op];
  if (operation === undefined) return;
  wrapNode(node, (evaluator, inner, context) => {
    const [left, right] = inner.args as [CelNode, CelNode];
    const [a, b] = [evaluator.run(left, context), evaluator.run(right, context)];
    return placed(evaluator, inner, () => operation(a, b, (x, y) => inner.handle(x, y, inner, evaluator)));
  });
}

/** Makes `{"a": 1}` a `Map`, as all other maps are: the library's object takes `1` and `["a"]` for strings, and has no `constructor`. */
export function buildMap(node: CelNode): void {
  wrapNode(node, (evaluator, inner, context) => {
    const entries = inner.args as readonly (readonly [CelNode, CelNode])[];
    return placed(
      evaluator,
      inner,
      () =>
        new Map(
          entries.map(([key, value]) => [requireKey(evaluator.run(key, context)), evaluator.run(value, context)]),
        ),
    );
  });
}

/** Gives a failure its place in the expression. */
function placed<T>(evaluator: Evaluator, node: CelNode, evaluate: () => T): T {
  try {
    return evaluate();
  } catch (error) {
    throw error instanceof ExpressionFault ? evaluator.createError(error.code, error.code, node) : error;
  }
}
