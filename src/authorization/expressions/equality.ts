import type { Duration } from '@marcbachmann/cel-js/evaluator';
import { loadCelLibrary } from './cel-library.js';
import { isUnreadable } from './cel-values.js';
import { ExpressionFault } from './evaluation.js';
import { Cidr, Ip } from './ip-ranges.js';
import { nanosecondsOf } from './times.js';

/**
 * True if CEL calls two values equal: numbers by their value, whatever their types, and lists and maps by what they have. The library's own
 * operator does not know `1u` in a list or a map.
 *
 * @throws {ExpressionFault} If it reads a number that is not known, or compares a value of a type that JSON does not have with one of another
 * type: a timestamp and a string are never equal, so that such a rule would never match. Nor are a number and the type `int`.
 */
export function isEqual(left: unknown, right: unknown): boolean {
  if (typeof left === 'string' && typeof right === 'string') return left === right;
  if (isUnreadable(left) || isUnreadable(right)) throw new ExpressionFault('unsupported_type');
  const a = toNumber(left);
  const b = toNumber(right);
  if (a === b) return true;
  // biome-ignore lint/suspicious/noDoubleEquals: `===` never finds a number equal to a BigInt.
  if (isNumber(a) && isNumber(b)) return a == b;
  if (Array.isArray(a)) return Array.isArray(b) ? isEqualList(a, b) : isOther(b);
  if (a instanceof Map) return b instanceof Map ? isEqualMap(a, b) : isOther(b);
  const equality = equalityOf(a);
  return equality === undefined ? isOther(b) : isEqualInstance(equality, a, b);
}

/** True if a list has a value. */
export function isInList(value: unknown, list: readonly unknown[]): boolean {
  return list.some((item) => isEqual(value, item));
}

/** True if a map has a key. */
export function isInMap(value: unknown, map: ReadonlyMap<unknown, unknown>): boolean {
  const member = map.get(requireKeyOf(map, value));
  if (isUnreadable(member)) throw new ExpressionFault('unsupported_type');
  return member !== undefined;
}

/**
 * Returns a key as the map has it: whole numbers of all types are one key.
 *
 * @throws {ExpressionFault} If the map has keys of another type. The names in JSON are strings, so that `1` would never be found. A map with
 * keys of several types has the type of its first.
 */
export function requireKeyOf(map: ReadonlyMap<unknown, unknown>, value: unknown): unknown {
  const key = toKey(value);
  if (map.size === 0 || map.has(key)) return key;
  const [first] = map.keys();
  if (typeof first !== typeof key && !(isNumber(first) && isNumber(key))) throw new ExpressionFault('no_such_overload');
  return key;
}

/** @throws {ExpressionFault} If the value is not a whole number. */
export function requireListIndex(value: unknown): bigint {
  const key = toKey(value);
  if (typeof key !== 'bigint') throw new ExpressionFault('no_such_overload');
  return key;
}

/** @throws {ExpressionFault} If the value cannot be a key. */
export function requireKey(value: unknown): unknown {
  const key = toKey(value);
  if (typeof key !== 'string' && typeof key !== 'boolean' && !isNumber(key))
    throw new ExpressionFault('no_such_overload');
  return key;
}

function toKey(value: unknown): unknown {
  const key = toNumber(value);
  return Number.isInteger(key) ? BigInt(key as number) : key;
}

/** Converts the library's `uint`, and returns all other values as they are. */
function toNumber(value: unknown): unknown {
  if (typeof value !== 'object') return value;
  const { UnsignedInt } = loadCelLibrary();
  return value instanceof UnsignedInt ? value.valueOf() : value;
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function isEqualList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, i) => isEqual(item, b[i]));
}

function isEqualMap(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (!b.has(key) || !isEqual(value, b.get(key))) return false;
  return true;
}

/** Returns false: the value is of another type. */
function isOther(value: unknown): boolean {
  if (equalityOf(value) !== undefined) throw new ExpressionFault('no_such_overload');
  return false;
}

/** Compares values of the types that JSON does not have. */
function isEqualInstance(equality: Equality, a: unknown, b: unknown): boolean {
  if (equalityOf(b) !== equality) throw new ExpressionFault('no_such_overload');
  return equality(a as never, b as never);
}

type Equality = (a: never, b: never) => boolean;

/** Each class of values that JSON does not have, with its equality. */
let classes: readonly (readonly [new (...args: never[]) => object, Equality])[] | undefined;

/** Undefined for a value that JSON can have. All other objects without a class here are types, such as `int`. */
function equalityOf(value: unknown): Equality | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Map) return undefined;
  classes ??= [
    [Uint8Array, (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0],
    [Date, (a: Date, b: Date) => a.getTime() === b.getTime()],
    [loadCelLibrary().Duration, (a: Duration, b: Duration) => nanosecondsOf(a) === nanosecondsOf(b)],
    [Ip, (a: Ip, b: Ip) => a.equals(b)],
    [Cidr, refuse],
  ];
  return classes.find(([each]) => value instanceof each)?.[1] ?? isSameType;
}

function isSameType(a: unknown, b: unknown): boolean {
  return a === b;
}

/** Two ranges may be the same and written differently. */
function refuse(): never {
  throw new ExpressionFault('no_such_overload');
}
