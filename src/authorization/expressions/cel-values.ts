/** An object as expressions see it: a `Map`, so that a member may be called `constructor` or `__proto__`. */
export type CelMap = ReadonlyMap<string, unknown>;

/**
 * Replaces a whole number beyond 2^53, which JSON parsing has rounded, a list with such a number, and values nested more than 64 levels
 * deep. The library does not know its class, so an expression that reads it fails.
 */
class Unreadable {}
const UNREADABLE = Object.freeze(new Unreadable());

/** True for a value that makes every expression fail that reads it. */
export function isUnreadable(value: unknown): boolean {
  return value === UNREADABLE;
}

const MAX_DEPTH = 64;

/** Converts JSON to the values of the library. Whole numbers become `BigInt`, which is the library's `int`. */
export function toCelValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'number') return toCelNumber(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === MAX_DEPTH) return UNREADABLE;
  return Array.isArray(value) ? toCelList(value, depth) : toCelMap(value, depth);
}

/** Converts an object, for example the claims of a token. */
export function toCelObject(object: Readonly<Record<string, unknown>>): CelMap {
  return toCelValue(object) as CelMap;
}

function toCelNumber(value: number): unknown {
  if (!Number.isInteger(value)) return value;
  return Number.isSafeInteger(value) ? BigInt(value) : UNREADABLE;
}

/** A list with a rounded number counts as one: `in` would not find the number, and not fail either. */
function toCelList(list: readonly unknown[], depth: number): object {
  const items = list.map((item) => toCelValue(item, depth + 1));
  return items.includes(UNREADABLE) ? UNREADABLE : items;
}

function toCelMap(object: object, depth: number): CelMap {
  const map = new Map<string, unknown>();
  for (const name of Object.keys(object)) {
    const member = (object as Readonly<Record<string, unknown>>)[name];
    // JSON has no undefined: it comes from a middleware that put an object into `req.body`.
    if (member !== undefined) map.set(name, toCelValue(member, depth + 1));
  }
  return map;
}

/** The work of lists and maps that took part in an operation. Counted only then: most never do. */
const known = new WeakMap<object, number>();

/** Returns the units of work that it takes to compare, copy or search a value. */
export function workOf(value: unknown): number {
  if (typeof value === 'string') return value.length >> 4;
  if (typeof value !== 'object' || value === null) return 0;
  const kept = known.get(value);
  if (kept !== undefined) return kept;
  const work = countWork(value);
  if (work >= MIN_KEPT) known.set(value, work);
  return work;
}

/** Counting less again is quicker than keeping it. */
const MIN_KEPT = 16;

/** Returns the values within a list or a map. */
function countWork(value: object): number {
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + 1 + workOf(item), 0);
  if (value instanceof Uint8Array) return value.length >> 4;
  if (!(value instanceof Map)) return 1;
  let work = 0;
  for (const member of value.values()) work += 1 + workOf(member);
  return work;
}
