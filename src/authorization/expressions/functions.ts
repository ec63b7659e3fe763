import { isIP } from 'node:net';
import type { Environment } from '@marcbachmann/cel-js';
import { lowerAscii } from '../../http/lower-ascii.js';
import { parseStrictJson } from '../../messages/strict-json.js';
import type { CelNode, Evaluator, TypeChecker } from './cel-node.js';
import { toCelValue } from './cel-values.js';
import { countPoints, POSITION_FUNCTIONS, registerPositionFunctions } from './code-points.js';
import { isInList } from './equality.js';
import { ABSENT_VARIABLE, ExpressionFault, noteFailure } from './evaluation.js';
import { Cidr, cidrOf, Ip } from './ip-ranges.js';
import { matchesPattern } from './patterns.js';
import { registerTimeFunctions, TIME_FUNCTIONS } from './times.js';
import { variableIn } from './variable-nodes.js';

/**
 * Functions of the library with the names of their replacements: its `matches` is JavaScript's regular expression, which may never end,
 * its `lowerAscii` makes `k` of the Kelvin sign, its `size` of a string takes ten times as long, others count UTF-16
 * units, and those of times depend on the time zone of this process.
 */
export const REPLACED_NAMES: ReadonlyMap<string, string> = new Map([
  ['matches', 'matchesLinear'],
  ['lowerAscii', 'lowerOnlyAscii'],
  ['upperAscii', 'upperOnlyAscii'],
  ['size', 'sizeLinear'],
  ...POSITION_FUNCTIONS,
  ...TIME_FUNCTIONS,
]);

const SYNC = { async: false };

/** Registers agentgateway's functions that CEL does not have, and the replacements of the library's own. */
export function registerFunctions(environment: Environment): void {
  const register = (signature: string, handler: (...args: never[]) => unknown) =>
    environment.registerFunction(signature, handler as never, SYNC as never);
  register('string.matchesLinear(string): bool', (text: string, pattern: string) => matchesPattern(text, pattern));
  register('matchesLinear(string, string): bool', (text: string, pattern: string) => matchesPattern(text, pattern));
  register('string.lowerOnlyAscii(): string', lowerAscii);
  register('string.upperOnlyAscii(): string', upperAscii);
  for (const [type, sizeOf] of Object.entries(SIZES)) {
    register(`sizeLinear(${type}): int`, sizeOf);
    register(`${type}.sizeLinear(): int`, sizeOf);
  }
  registerPositionFunctions(register);
  registerTimeFunctions(register);
  register('list.contains(dyn): bool', (list: readonly unknown[], value: unknown) => isInList(value, list));
  environment.registerType('net.IP', Ip as never);
  environment.registerType('net.CIDR', Cidr as never);
  register('ip(string): net.IP', (text: string) => new Ip(text));
  register('isIP(string): bool', (text: string) => isIP(text) !== 0);
  register('cidr(string): net.CIDR', cidrOf);
  register('net.CIDR.containsIP(string): bool', (range: Cidr, text: string) => range.contains(new Ip(text)));
  register('net.CIDR.containsIP(net.IP): bool', (range: Cidr, address: Ip) => range.contains(address));
  register('json(string): dyn', parseJson);
  register('json(bytes): dyn', (bytes: Uint8Array) => parseJson(new TextDecoder().decode(bytes)));
  register('default(ast, dyn): dyn', createDefault as never);
}

const SIZES: Readonly<Record<string, (value: never) => bigint>> = {
  string: (text: string) => BigInt(countPoints(text)),
  bytes: ({ length }: Uint8Array) => BigInt(length),
  list: ({ length }: readonly unknown[]) => BigInt(length),
  map: (map: object) => BigInt(map instanceof Map ? map.size : Object.keys(map).length),
};

function upperAscii(text: string): string {
  return text.replace(/[a-z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) - 0x20));
}

function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = parseStrictJson(text);
  } catch {
    // The error quotes the string.
    throw new ExpressionFault('malformed_json');
  }
  return toCelValue(value);
}

/** The macro `default(expression, fallback)`. As in agentgateway, only something missing is replaced, and no other failure. */
function createDefault({ args: [expression, fallback] }: { args: readonly [CelNode, CelNode] }) {
  return {
    typeCheck(checker: TypeChecker, _macro: unknown, context: unknown) {
      const type = checker.check(expression, context);
      const other = checker.check(fallback, context);
      // The type of a claim or an argument is known only when it is read. With that of the fallback, the library would compare without a check.
      return type.type === other.type ? type : checker.dynType;
    },
    evaluate(evaluator: Evaluator, _macro: unknown, context: unknown) {
      try {
        return isMissing(evaluator, expression, context)
          ? evaluator.run(fallback, context)
          : evaluator.run(expression, context);
      } catch (error) {
        if (error === ABSENT_VARIABLE || MISSING.has((error as { code?: string }).code ?? ''))
          return evaluator.run(fallback, context);
        noteFailure(error);
        throw error;
      }
    },
    async: false,
  };
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

/** True for a variable, and for members of it: reading these again takes little time. */
function isFromVariable(node: CelNode): boolean {
  if (memberName(node) === undefined) return variableIn(node) !== undefined;
  return isFromVariable(node.args[0]);
}

const MISSING: ReadonlySet<string> = new Set(['no_such_key', 'index_out_of_bounds']);
