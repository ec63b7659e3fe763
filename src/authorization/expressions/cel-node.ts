/** A type of the library. */
export interface CelType {
  readonly kind: string;
  readonly type: string;
}

/** The library's type checker, as far as nodes use it. */
export interface TypeChecker {
  readonly stringType: CelType;
  readonly intType: CelType;
  readonly boolType: CelType;
  readonly mapType: CelType;
  readonly dynType: CelType;
  check(node: CelNode, context: unknown): CelType;
}

/** The library's evaluator, as far as nodes use it. */
export interface Evaluator {
  run(node: CelNode, context: unknown): unknown;
  /** Creates the error of a node, which knows its place. */
  createError(code: string, message: string, node: CelNode): Error;
}

interface Operator {
  readonly name: string;
  readonly check: (checker: TypeChecker, node: CelNode, context: unknown) => CelType;
  readonly evaluate: (evaluator: Evaluator, node: CelNode, context: unknown) => unknown;
}

interface NodeMeta extends Pick<Operator, 'check' | 'evaluate'> {
  readonly alternate?: CelNode;
  readonly macro?: unknown;
  readonly label?: string;
}

/**
 * A node of the library's syntax tree. Its type declarations have neither `meta` nor `clone()` nor `setMeta()`, so the library's version is
 * pinned.
 */
export interface CelNode {
  readonly op: string;
  // biome-ignore lint/suspicious/noExplicitAny: its type depends on `op`.
  readonly args: any;
  readonly pos: number;
  readonly meta: NodeMeta;
  /** Applies an operator to its two operands. The type checker sets it. */
  readonly handle: (left: unknown, right: unknown, node: CelNode, evaluator: Evaluator) => unknown;
  evaluate: Operator['evaluate'];
  clone(operator: Operator, args: unknown): CelNode;
  setMeta(key: string, value: unknown): CelNode;
}

/** Makes a node evaluate to something else. Other nodes keep their reference to it. */
export function replaceNode(node: CelNode, check: Operator['check'], evaluate: Operator['evaluate']): void {
  const replacement = node.clone({ name: 'replacement', check, evaluate }, []).setMeta('async', false);
  node.setMeta('alternate', replacement).setMeta('async', false);
  // The library looks for the alternate at each evaluation. This takes as long as a comparison.
  node.evaluate = evaluate;
}

/** Runs `evaluate` in place of a node's own evaluation, which `evaluator.run(inner, context)` calls. The type stays the same. */
export function wrapNode(
  node: CelNode,
  evaluate: (evaluator: Evaluator, inner: CelNode, context: unknown) => unknown,
): void {
  const inner = node.meta.alternate ?? copyOf(node);
  replaceNode(
    node,
    (checker, _node, context) => checker.check(inner, context),
    (evaluator, _node, context) => evaluate(evaluator, inner, context),
  );
}

function copyOf(node: CelNode): CelNode {
  const { macro, label, check, evaluate } = node.meta;
  const copy = node.clone({ name: node.op, check, evaluate }, node.args);
  for (const [key, value] of Object.entries({ macro, label })) if (value !== undefined) copy.setMeta(key, value);
  return copy;
}

/** Returns the first node of such a chain: `item` of `item.path`. */
export function rootOf(node: CelNode): CelNode {
  return node.op === '.' ? rootOf(node.args[0]) : node;
}

/** Returns the names of a chain such as `jwt.nested.key`. Undefined if the node is not a chain. */
export function pathOf(node: CelNode): readonly string[] | undefined {
  if (node.op === 'id') return [node.args as string];
  if (node.op !== '.') return undefined;
  const path = pathOf(node.args[0]);
  return path && [...path, node.args[1] as string];
}

/** Registers a function by its signature. */
export type Register = (signature: string, handler: (...args: never[]) => unknown) => void;
