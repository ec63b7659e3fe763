import { isIP } from 'node:net';
import type { Environment } from '@marcbachmann/cel-js';
import { lowerAscii } from '../../http/lower-ascii.js';
import { parseStrictJson } from '../../messages/strict-json.js';
import type { CelNode, Evaluator, TypeChecker } from './cel-node.js';
import { toCelValue } from './cel-values.js';
import { ABSENT_VARIABLE, ExpressionFault, noteFailure } from './evaluation.js';
import { Cidr, cidrOf, Ip } from './ip-ranges.js';
import { matchesPattern } from './patterns.js';

/**
 * Functions of the library with the names of their replacements: its `matches` is JavaScript's regular expression, which may never end,
 * its `lowerAscii` makes `k` of the Kelvin sign, and its `size` of a text takes ten times as long.
 */
export const REPLACED_NAMES: ReadonlyMap<string, string> = new Map([
  ['matches', 'matchesLinear'],
  ['lowerAscii', 'lowerOnlyAscii'],
  ['upperAscii', 'upperOnlyAscii'],
  ['size', 'sizeLinear'],
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
  register('list.contains(dyn): bool', (list: readonly unknown[], value: unknown) => contains(list, value));
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
  string: (text: string) => BigInt(text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0)),
  bytes: ({ length }: Uint8Array) => BigInt(length),
  list: ({ length }: readonly unknown[]) => BigInt(length),
  map: (map: object) => BigInt(map instanceof Map ? map.size : Object.keys(map).length),
};

function upperAscii(text: string): string {
  return text.replace(/[a-z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) - 0x20));
}

/** As `in`: numbers are equal across their types. */
function contains(list: readonly unknown[], value: unknown): boolean {
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  // biome-ignore lint/suspicious/noDoubleEquals: `===` never finds a number equal to a BigInt.
  return list.some((item) => item === value || (isNumber && typeof item !== 'string' && item == value));
}

function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = parseStrictJson(text);
  } catch {
    // The error quotes the text.
    throw new ExpressionFault('malformed_json');
  }
  return toCelValue(value);
}

/** The macro `default(expression, fallback)`. As in agentgateway, only something missing is replaced, and no other failure. */
function createDefault({ args: [expression, fallback] }: { args: readonly [CelNode, CelNode] }) {
  return {
    typeCheck(checker: TypeChecker, _macro: unknown, context: unknown) {
      checker.check(expression, context);
      return checker.check(fallback, context);
    },
    evaluate(evaluator: Evaluator, _macro: unknown, context: unknown) {
      try {
        return evaluator.run(expression, context);
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

const MISSING: ReadonlySet<string> = new Set(['no_such_key', 'index_out_of_bounds']);
