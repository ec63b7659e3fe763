import type { CelNode, CelType, Evaluator, Register, TypeChecker } from './cel-node.js';
import { ABSENT_VARIABLE, charge, FAILURE_UNITS, noteFailure } from './evaluation.js';
import { variableIn } from './variable-nodes.js';

/** The library has no functions with any number of operands. */
const MAX_OPERANDS = 20;

/** The names of the macros that replace something missing. What is missing is not a failure there, and they note all others themselves. */
export const FALLBACKS: ReadonlySet<string> = new Set(['default', 'coalesce']);

/** Registers the macros that replace something missing. */
export function registerFallbacks(register: Register): void {
  register('default(ast, dyn): dyn', createDefault as never);
  for (let count = 1; count <= MAX_OPERANDS; count += 1) {
    const others = ', dyn'.repeat(count - 1);
    register(`coalesce(ast${others}): dyn`, createCoalesce as never);
  }
}

interface Call {
  readonly args: readonly CelNode[];
}

/** The macro `default(expression, fallback)`. As in agentgateway, only null and something missing are replaced, and no other failure. */
function createDefault({ args }: Call) {
  const [expression, fallback] = args as readonly [CelNode, CelNode];
  return {
    typeCheck: (checker: TypeChecker, _macro: unknown, context: unknown) => typeOfAll(checker, args, context),
    evaluate(evaluator: Evaluator, _macro: unknown, context: unknown) {
      const found = find(evaluator, expression, context);
      return found === null || found instanceof Error ? evaluator.run(fallback, context) : found;
    },
    async: false,
  };
}

/**
 * The macro `coalesce(a, b, …)`: the first value that is neither missing nor null, or else null if there was one. Unlike in agentgateway, it
 * fails at any other failure: more fails here, such as a number that JavaScript rounds, and a `deny` rule must see that.
 */
function createCoalesce({ args }: Call) {
  return {
    typeCheck: (checker: TypeChecker, _macro: unknown, context: unknown) => typeOfAll(checker, args, context),
    evaluate(evaluator: Evaluator, _macro: unknown, context: unknown) {
      const missing: [CelNode, Error][] = [];
      for (const node of args) {
        const found = find(evaluator, node, context);
        if (found instanceof Error) missing.push([node, found]);
        else if (found !== null) return found;
      }
      if (missing.length < args.length) return null;
      // A claim that a token lacks is a failure, unlike the variables that a call cannot have.
      const [node] = missing.find(([, error]) => error !== ABSENT_VARIABLE) ?? (missing[0] as [CelNode, Error]);
      return evaluator.run(node, context);
    },
    async: false,
  };
}

/** The type of a claim or an argument is known only when it is read. With that of the fallback, the library would compare without a check. */
function typeOfAll(checker: TypeChecker, nodes: readonly CelNode[], context: unknown): CelType {
  const [first, ...others] = nodes.map((node) => checker.check(node, context)) as [CelType, ...CelType[]];
  return others.every(({ type }) => type === first.type) ? first : checker.dynType;
}

const NO_MEMBER = new Error('no such member');

/** Returns a value, or an error if it is missing. */
function find(evaluator: Evaluator, node: CelNode, context: unknown): unknown {
  try {
    return isMissing(evaluator, node, context) ? NO_MEMBER : evaluator.run(node, context);
  } catch (error) {
    if (error === ABSENT_VARIABLE) return error;
    if (MISSING.has((error as { code?: string }).code ?? '')) {
      charge(FAILURE_UNITS);
      return error;
    }
    noteFailure(error);
    throw error;
  }
}

/**
 * True for a member that an object on the way from a variable does not have. For the library that is a failure, and to describe it takes
 * longer than all else.
 */
function isMissing(evaluator: Evaluator, node: CelNode, context: unknown): boolean {
  const name = memberName(node);
  if (name === undefined) return false;
  const [object] = node.args as [CelNode];
  if (isMissing(evaluator, object, context)) return true;
  if (!isFromVariable(object)) return false;
  const value = evaluator.run(object, context);
  return value instanceof Map && !value.has(name);
}

/** Returns the name in `a.name` or `a["name"]`; undefined for other nodes, and for those that read a variable. */
function memberName({ op, args, meta }: CelNode): string | undefined {
  if (meta.alternate !== undefined) return undefined;
  if (op === '.') return args[1];
  return op === '[]' && typeof args[1].args === 'string' && args[1].op === 'value' ? args[1].args : undefined;
}

/** True for a variable or the name in a macro, and for members of these: reading them again takes little time. */
function isFromVariable(node: CelNode): boolean {
  if (memberName(node) === undefined) return node.op === 'id' || variableIn(node) !== undefined;
  return isFromVariable(node.args[0]);
}

const MISSING: ReadonlySet<string> = new Set(['no_such_key', 'index_out_of_bounds']);
