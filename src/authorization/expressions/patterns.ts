import type { RE2JS } from 're2js';
import { loadCelLibrary } from './cel-library.js';
import { ExpressionError } from './expression-error.js';

/** The patterns of all expressions. Their number is bounded by the rules, since a pattern is a literal. */
const patterns = new Map<string, RE2JS>();

/**
 * Compiles a pattern of `matches`, in RE2's syntax.
 *
 * @throws {ExpressionError}
 */
export function compilePattern(pattern: string, position: number): void {
  if (patterns.has(pattern)) return;
  try {
    patterns.set(pattern, loadCelLibrary().RE2JS.compile(pattern));
  } catch (error) {
    throw new ExpressionError(`the pattern of matches is not valid: ${(error as Error).message}`, position);
  }
}

/** True if a part of the string matches. Takes time in proportion to its length. */
export function matchesPattern(text: string, pattern: string): boolean {
  return (patterns.get(pattern) as RE2JS).test(text);
}

/** The work to search one character for most patterns, as a multiple of a comparison: one step of an automaton. */
const AUTOMATON_FACTOR = 32;
/** The same for a pattern with more states than an automaton can have: the library then follows all of them at once. */
const PARALLEL_FACTOR = 640;
const FACTOR_PER_INSTRUCTION = 6;

/** From this count on, `a.{9}b` has too many states: each of the last nine characters may have been the `a`. */
const MIN_COUNT = 9;

/** Returns how much more work than a comparison it is to search a string for this pattern. Depends on nothing but the pattern. */
export function patternFactor(pattern: string): number {
  if (!mayHaveManyStates(pattern)) return AUTOMATON_FACTOR;
  return PARALLEL_FACTOR + FACTOR_PER_INSTRUCTION * (patterns.get(pattern) as RE2JS).programSize();
}

function mayHaveManyStates(pattern: string): boolean {
  const plain = pattern.replace(/\\./gs, 'e').replace(/\[[^\]]*\]/g, 'c');
  const counts = [...plain.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].map(([, least, most]) => Number(most || least));
  // From its start, a pattern without loops reads no more than it can match.
  const isShort = /^(?:\(\?[is]+\))?\^/.test(plain) && !/[*+|]|,\}/.test(plain);
  return !isShort && counts.reduce((product, count) => product * Math.max(1, count), 1) >= MIN_COUNT;
}
