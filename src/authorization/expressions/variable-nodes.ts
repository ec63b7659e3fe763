import { nearestName } from '../../options/checks.js';
import { type CallVariables, ENDED_VARIABLES, isKind, ROOTS, VARIABLES } from './call-variables.js';
import { type CelNode, pathOf, replaceNode, rootOf, wrapNode } from './cel-node.js';
import { isUnreadable } from './cel-values.js';
import { ABSENT_VARIABLE, currentVariables, ExpressionFault } from './evaluation.js';
import { ExpressionError } from './expression-error.js';

/** Variables of agentgateway that are known only after the request, and that are not here. */
const KNOWN_LATER = /^(?:mcp\.tool\.(?:result|error)|request\.(?:body|bodyPrefix|startTime|endTime))$/;

/** Finds the variable that a node begins with. Undefined if it begins with none. */
export function variableIn(node: CelNode): { readonly path: readonly string[]; readonly length: number } | undefined {
  const path = pathOf(node);
  const length = path && ROOTS.get(path[0] as string);
  return path && length ? { path, length } : undefined;
}

/**
 * Makes a node read its variable, and returns the variable's path.
 *
 * @throws {ExpressionError} If no such variable can exist.
 */
export function readVariable(node: CelNode): string {
  const path = (pathOf(node) as readonly string[]).join('.');
  const { type, read } = VARIABLES.get(path) ?? ENDED_VARIABLES.get(path) ?? refuseVariable(path, node.pos);
  replaceNode(
    node,
    (checker) => checker[`${type}Type`],
    () => present(read(currentVariables())),
  );
  return path;
}

function present(value: unknown): unknown {
  if (value === undefined) throw ABSENT_VARIABLE;
  return value;
}

/** @throws {ExpressionError} */
function refuseVariable(path: string, position: number): never {
  if (KNOWN_LATER.test(path)) {
    throw new ExpressionError(`${path} is not known when a call is decided on`, position);
  }
  throw new ExpressionError(`${path} is not a variable; write ${suggestionsFor(path).join(', ')}`, position);
}

/** Returns the variable that was probably meant, or all that it can be. */
function suggestionsFor(path: string): readonly string[] {
  const [root, ...names] = path.split('.');
  const ofRoot = [...VARIABLES.keys()].filter((name) => name.startsWith(`${root}.`));
  const last = lastName(path);
  const near = nearestName(last, ofRoot.map(lastName), 2);
  // The other names decide between variables that end alike: mcp.tool.name and mcp.prompt.name.
  const meant = ofRoot.filter((name) => lastName(name) === near);
  const nearest = nearestName(path, meant, path.length);
  if (nearest !== undefined) return [nearest];
  const likely = ofRoot.filter((name) => names.some((each) => each !== '' && name.includes(`.${each}`)));
  return likely.length > 0 ? likely : ofRoot;
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

/**
 * Makes `has(mcp.tool.arguments.path)` look in the variables. Without the variable it is false, as in agentgateway: `has(jwt.sub)` of
 * an anonymous caller. If a member on the way is missing, it fails, as CEL says.
 *
 * @returns The path of the variable.
 * @throws {ExpressionError} If no such variable can exist.
 */
export function readPresence(node: CelNode, argument: CelNode): string {
  const path = pathOf(argument) as readonly string[];
  const length = ROOTS.get(path[0] as string) as number;
  const read = path.length < length ? readKind(path, argument) : undefined;
  const variable = path.slice(0, length).join('.');
  const readValue = read ?? (VARIABLES.get(variable) ?? refuseVariable(variable, argument.pos)).read;
  const rest = path.slice(length);
  replaceNode(
    node,
    (checker) => checker.boolType,
    () => {
      const value = readValue(currentVariables());
      return value !== undefined && hasPath(value, rest);
    },
  );
  return variable;
}

function readKind(path: readonly string[], { pos }: CelNode): (variables: CallVariables) => unknown {
  const [root, kind] = path;
  if (root === 'mcp' && isKind(kind)) return ({ mcp }) => mcp[kind];
  const name = path.join('.');
  return (ENDED_VARIABLES.get(name) ?? refuseVariable(name, pos)).read;
}

/** Makes `has(item.path)` look in the value that a macro has introduced, in the same way. */
export function readMemberPresence(node: CelNode, argument: CelNode): void {
  const [, ...names] = pathOf(argument) as readonly string[];
  const root = rootOf(argument);
  wrapNode(node, (evaluator, _inner, context) => hasPath(evaluator.run(root, context), names));
}

/** @throws {ExpressionFault} As CEL says, if a value on the way is not a map, or lacks the next name. */
function hasPath(value: unknown, [name, ...rest]: readonly string[]): boolean {
  if (name === undefined) return true;
  if (!(value instanceof Map)) throw new ExpressionFault('no_such_overload');
  const member: unknown = value.get(name);
  if (member === undefined && rest.length > 0) throw new ExpressionFault('no_such_key');
  if (isUnreadable(member)) throw new ExpressionFault('unsupported_type');
  return member !== undefined && hasPath(member, rest);
}
