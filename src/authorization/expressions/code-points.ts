import type { Register } from './cel-node.js';
import { ExpressionFault } from './evaluation.js';

/** The library's functions that count UTF-16 units, where CEL counts code points as `size` does, with the names of their replacements. */
export const POSITION_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ['substring', 'substringOfPoints'],
  ['indexOf', 'indexOfPoint'],
  ['lastIndexOf', 'lastIndexOfPoint'],
  ['split', 'splitPoints'],
]);

/** Registers the replacements. */
export function registerPositionFunctions(register: Register): void {
  register('string.substringOfPoints(int): string', (text: string, start: bigint) => text.slice(unitAt(text, start)));
  register('string.substringOfPoints(int, int): string', substring);
  register('string.indexOfPoint(string): int', (text: string, part: string) => pointAt(text, text.indexOf(part)));
  register('string.indexOfPoint(string, int): int', (text: string, part: string, from: bigint) =>
    pointAt(text, text.indexOf(part, startAt(text, part, from))),
  );
  register('string.lastIndexOfPoint(string): int', (text: string, part: string) =>
    pointAt(text, text.lastIndexOf(part)),
  );
  register('string.lastIndexOfPoint(string, int): int', (text: string, part: string, from: bigint) =>
    pointAt(text, text.lastIndexOf(part, startAt(text, part, from))),
  );
  register('string.splitPoints(string): list<string>', split);
  register('string.splitPoints(string, int): list<string>', splitAtMost);
}

/** Returns the number of code points in a string. */
export function countPoints(text: string): number {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

function substring(text: string, start: bigint, end: bigint): string {
  if (end < start) throw outOfRange();
  return text.slice(unitAt(text, start), unitAt(text, end));
}

/** An empty string is found everywhere, even at the end; other strings are not looked for there. */
function startAt(text: string, part: string, from: bigint): number {
  const start = unitAt(text, from);
  if (start === text.length && part !== '') throw outOfRange();
  return start;
}

function split(text: string, separator: string): string[] {
  return separator === '' ? [...text] : text.split(separator);
}

/** A negative number has no effect. The last piece has the rest. */
function splitAtMost(text: string, separator: string, most: bigint): string[] {
  if (most === 0n) return [];
  const pieces = split(text, separator);
  const count = Number(most);
  if (count < 0 || pieces.length <= count) return pieces;
  return [...pieces.slice(0, count - 1), pieces.slice(count - 1).join(separator)];
}

/**
 * Returns the place in UTF-16 units of a code point, by its number.
 *
 * @throws {ExpressionFault} If the string is shorter.
 */
function unitAt(text: string, point: bigint): number {
  if (point < 0n || point > text.length) throw outOfRange();
  if (!/[\ud800-\udbff]/.test(text)) return Number(point);
  let unit = 0;
  for (let i = 0; i < point; i += 1) {
    if (unit >= text.length) throw outOfRange();
    unit += (text.codePointAt(unit) as number) > 0xffff ? 2 : 1;
  }
  return unit;
}

/** Returns the number of the code point at a place in UTF-16 units. -1 remains -1. */
function pointAt(text: string, unit: number): bigint {
  return BigInt(unit < 0 ? unit : countPoints(text.slice(0, unit)));
}

function outOfRange(): ExpressionFault {
  return new ExpressionFault('index_out_of_range');
}
