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

/** True if a part of the text matches. Takes time in proportion to the text. */
export function matchesPattern(text: string, pattern: string): boolean {
  return (patterns.get(pattern) as RE2JS).test(text);
}
