import { loadCelLibrary } from '../../authorization/expressions/cel-library.js';
import type { ConfigNode } from './config-node.js';

/** A regular expression in RE2's syntax, as agentgateway's. Its time is in proportion to the text, which a client writes. */
export interface Pattern {
  readonly regex: string;
  /** True if the whole text matches. */
  matches(text: string): boolean;
}

/** Reads a regular expression. */
export function readPattern(node: ConfigNode): Pattern {
  const regex = node.text();
  try {
    const compiled = loadCelLibrary().RE2JS.compile(regex);
    return { regex, matches: (text) => compiled.matcher(text).matches() };
  } catch (error) {
    return node.refuse(`must be a regular expression of RE2: ${(error as Error).message}`);
  }
}
