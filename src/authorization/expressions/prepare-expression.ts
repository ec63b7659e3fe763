import { ROOTS } from './call-variables.js';
import { type CelNode, pathOf, rootOf } from './cel-node.js';
import { buildMap, compareByValue } from './comparison-nodes.js';
import { ExpressionError } from './expression-error.js';
import { FALLBACKS } from './fallbacks.js';
import { REPLACED_NAMES } from './functions.js';
import {
  boundIterations,
  chargeFixed,
  chargeOperand,
  noteFailures,
  requireForm,
  requireInt64,
  requireRange,
} from './guards.js';
import { requireHostPart, requireHostTexts } from './host-texts.js';
import { MemberNames } from './member-names.js';
import { compilePattern, patternFactor } from './patterns.js';
import { readMemberPresence, readPresence, readVariable, variableIn } from './variable-nodes.js';

/** The names that an expression reads. */
export interface Reads {
  /** The paths of its variables. */
  readonly variables: ReadonlySet<string>;
  /** The names of members that it may read from arguments: `path` of `mcp.tool.arguments.path`. */
  readonly members: ReadonlySet<string>;
  /** The strings that a target is compared with, with their positions. */
  readonly targets: ReadonlyMap<string, number>;
}

const MAX_MACRO_DEPTH = 2;
const MAX_LIST_LENGTH = 5_000;
const MAX_NESTED_LIST_LENGTH = 256;

/** The macros that go through a list, by name. `true`: a round that fails does not end the macro. */
const MACROS: ReadonlyMap<string, boolean> = new Map([
  ['all', true],
  ['exists', true],
  ['exists_one', false],
  ['map', false],
  ['filter', false],
]);

/** The work of these functions for a character or an entry, as a multiple of a comparison. */
const COSTLY: ReadonlyMap<string, number> = new Map([
  ['json', 8],
  ['split', 16],
  ['replace', 16],
  ['base64Decode', 8],
]);

/** Units of work of a function that converts to a time zone. */
const TIME_ZONE_UNITS = 1_000;

/**
 * Prepares a parsed expression: its variables are read from the call, `matches` takes linear time, and macros and operators count their
 * work.
 *
 * @throws {ExpressionError} If it names a variable that cannot exist, or nests macros too deeply.
 */
export function prepareExpression(root: CelNode): Reads {
  const preparation = new Preparation();
  preparation.visit(root);
  const { variables, targets, names } = preparation;
  return { variables, targets, members: names.namesFor(variables) };
}

class Preparation {
  readonly variables = new Set<string>();
  readonly targets = new Map<string, number>();
  readonly names = new MemberNames();
  /** The names that the macros around a node have introduced. */
  readonly #introduced = new Set<string>();
  #macroDepth = 0;
  #macros = 0;
  #nodes = 0;

  visit(node: CelNode): void {
    this.#nodes += 1;
    const variable = variableIn(node);
    if (variable !== undefined && variable.path.length <= variable.length) {
      this.variables.add(readVariable(node));
    } else if (node.op === 'call') this.#call(node);
    else if (node.op === 'rcall') this.#method(node);
    else if (node.op === '&&' || node.op === '||') this.#visitAll(node.args, noteFailures);
    else if (node.op === '!_' || node.op === '-_') this.visit(node.args);
    else if (node.op === '.') this.#member(node.args[0], node.args[1]);
    else if (node.op === 'map') this.#map(node);
    else if (node.op === '?:' || node.op === 'list') this.#visitAll(node.args);
    else if (node.op === '[]') this.#index(node);
    else if (node.op === 'id') this.#requireKnown(node);
    else if (node.op === 'value') this.names.noteText(node);
    else this.#binary(node);
  }

  #binary(node: CelNode): void {
    const { op, args } = node;
    const [left, right] = args;
    if (op === 'in') this.names.noteKey(right, left);
    if (op === '==' || op === '!=' || op === 'in') {
      this.#noteTargets(left, right);
      this.#noteTargets(right, left);
      requireHostTexts(left, right);
      requireHostTexts(right, left);
      this.names.noteComparison(left, right);
    }
    this.#visitAll([left, right], chargeOperand);
    compareByValue(node);
  }

  #map(node: CelNode): void {
    for (const [{ op, args }] of node.args) if (op === 'value') this.names.note(node, args);
    this.#visitAll(node.args.flat());
    buildMap(node);
  }

  #member(object: CelNode, name: string): void {
    this.names.note(object, name);
    this.visit(object);
  }

  #index(node: CelNode): void {
    const [object, index] = node.args as [CelNode, CelNode];
    this.names.noteKey(object, index);
    this.#visitAll([object, index]);
    // A name in quotes is one key, of a map.
    if (typeof index.args !== 'string' || index.op !== 'value') compareByValue(node);
  }

  /** Notes the strings in `other` if a node is the name of a target. */
  #noteTargets(node: CelNode, other: CelNode): void {
    const { path, length } = variableIn(node) ?? {};
    if (path?.length !== length || path?.at(-1) !== 'target') return;
    const texts: readonly CelNode[] = other.op === 'list' ? other.args : [other];
    for (const { op, args, pos } of texts) {
      if (op === 'value' && typeof args === 'string') this.targets.set(args, pos);
    }
  }

  #visitAll(nodes: readonly CelNode[], then?: (node: CelNode) => void): void {
    for (const node of nodes) {
      this.visit(node);
      then?.(node);
    }
  }

  #call(node: CelNode): void {
    const [name, args] = node.args as [string, CelNode[]];
    const [first] = args;
    if (name === 'has' && first !== undefined) this.#has(node, first);
    else this.#function(node, name, args);
  }

  #function(node: CelNode, name: string, args: readonly CelNode[]): void {
    const [first] = args;
    const charger = this.#charger(name, args[1] ?? node);
    node.args[0] = REPLACED_NAMES.get(name) ?? name;
    this.#visitAll(args, FALLBACKS.has(name) ? undefined : charger);
    if (name === 'cidr' && first?.op === 'value') requireRange(first);
    requireForm(name, args);
    if (name === 'int') requireInt64(node);
  }

  #has(node: CelNode, argument: CelNode): void {
    const variable = variableIn(argument);
    for (const name of pathOf(argument)?.slice(variable?.length ?? 1) ?? []) this.names.note(argument, name);
    if (variable !== undefined) this.variables.add(readPresence(node, argument));
    // Of all other names, the library accepts only those that a macro has introduced.
    else if (pathOf(argument) === undefined) this.visit(argument);
    else {
      this.#requireKnown(rootOf(argument));
      readMemberPresence(node, argument);
    }
  }

  #method(node: CelNode): void {
    const [name, receiver, args] = node.args as [string, CelNode, CelNode[]];
    const isMacro = MACROS.has(name) && node.meta.alternate !== undefined;
    if (isMacro) this.#macro(name, receiver, args);
    else if (name === 'bind' && args[0]?.op === 'id') this.#bind(args);
    else this.#ordinaryMethod(node, name, [receiver, ...args]);
  }

  #ordinaryMethod(node: CelNode, name: string, operands: readonly CelNode[]): void {
    if (name === 'json') throw new ExpressionError('json() is a function; write json(…)', node.pos);
    const charger = this.#charger(name, operands[1] ?? node);
    node.args[0] = REPLACED_NAMES.get(name) ?? name;
    if (operands.length === 2) this.names.noteComparison(operands[0] as CelNode, operands[1] as CelNode);
    requireHostPart(name, operands[0] as CelNode, operands[1]);
    this.#visitAll(operands, charger);
    if (/^get[A-Z]/.test(name) && operands.length > 1) chargeFixed(node, TIME_ZONE_UNITS);
  }

  /** `second`: the pattern, if the function is `matches`. */
  #charger(name: string, second: CelNode): (node: CelNode) => void {
    const factor = name === 'matches' ? patternFactor(this.#requirePattern(second)) : COSTLY.get(name);
    return (node) => chargeOperand(node, factor);
  }

  #macro(name: string, list: CelNode, [variable, ...body]: readonly CelNode[]): void {
    this.#requireFreeName(variable as CelNode);
    this.names.noteAny(list);
    this.visit(list);
    const [macros, nodes] = [this.#macros, this.#nodes];
    this.#macros += 1;
    this.#macroDepth += 1;
    if (this.#macroDepth > MAX_MACRO_DEPTH)
      throw new ExpressionError(`macros may be nested ${MAX_MACRO_DEPTH} deep`, list.pos);
    this.#visitWith(variable as CelNode, body, MACROS.get(name) ? noteFailures : undefined);
    this.#macroDepth -= 1;
    const isNested = this.#macroDepth > 0 || this.#macros > macros + 1;
    boundIterations(list, isNested ? MAX_NESTED_LIST_LENGTH : MAX_LIST_LENGTH, this.#nodes - nodes + 1);
  }

  /** `cel.bind(name, value, expression)`. */
  #bind([variable, value, ...body]: readonly CelNode[]): void {
    this.#requireFreeName(variable as CelNode);
    if (value !== undefined) this.visit(value);
    this.#visitWith(variable as CelNode, body);
  }

  /** Visits nodes that know one name more. */
  #visitWith({ args: name }: CelNode, nodes: readonly CelNode[], then?: (node: CelNode) => void): void {
    const isNew = !this.#introduced.has(name);
    this.#introduced.add(name);
    this.#visitAll(nodes, then);
    if (isNew) this.#introduced.delete(name);
  }

  /** The library knows this name, although it does not have what belongs to it. */
  #requireKnown({ args: name, pos }: CelNode): void {
    if (name === 'optional' && !this.#introduced.has(name))
      throw new ExpressionError('optional is not a variable; write has(…) or default(…)', pos);
  }

  #requireFreeName({ args: name, pos }: CelNode): void {
    if (ROOTS.has(name)) throw new ExpressionError(`${name} is a variable already; choose another name`, pos);
  }

  #requirePattern({ op, args, pos }: CelNode): string {
    if (op !== 'value' || typeof args !== 'string')
      throw new ExpressionError('the pattern of matches must be a text in quotes', pos);
    compilePattern(args, pos);
    return args;
  }
}
