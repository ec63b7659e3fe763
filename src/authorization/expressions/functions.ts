import { isIP } from 'node:net';
import type { Environment } from '@marcbachmann/cel-js';
import { lowerAscii } from '../../http/lower-ascii.js';
import { parseStrictJson } from '../../messages/strict-json.js';
import { toCelValue } from './cel-values.js';
import { countPoints, POSITION_FUNCTIONS, registerPositionFunctions } from './code-points.js';
import { isInList } from './equality.js';
import { ExpressionFault } from './evaluation.js';
import { registerFallbacks } from './fallbacks.js';
import { Cidr, cidrOf, Ip } from './ip-ranges.js';
import { matchesPattern } from './patterns.js';
import { registerTextFunctions } from './text-functions.js';
import { registerTimeFunctions, TIME_FUNCTIONS } from './times.js';

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
  register('json(bytes): dyn', (bytes: Uint8Array) => parseJson(decode(bytes)));
  registerTextFunctions(register);
  registerFallbacks(register);
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

/** JSON is UTF-8 without a byte order mark (RFC 8259, section 8.1). */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ExpressionFault('malformed_json');
  }
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
