import { METHODS, targetMember } from '../messages/mcp-call.js';
import { nearestName } from '../options/checks.js';

/** The place where the rules are written. A configuration file has no functions, and configures `mcpAuth()` under `mcpAuthentication`. */
export type RuleSource = 'code' | 'file';

/**
 * True if a rule may have this name: a request method of MCP, or a custom method, which must contain a slash. A rule under any
 * other name would be for a method that no client calls, and restrict nothing.
 */
export function isMethodName(name: string): boolean {
  if (METHODS.includes(name)) return true;
  return name.includes('/') && !name.includes('*') && nearestName(name, METHODS) === undefined;
}

interface Mistake {
  readonly pattern: RegExp;
  readonly fix: Readonly<Record<RuleSource, string>>;
}

const forBoth = (fix: string) => ({ code: fix, file: fix });

/** Names that users write instead of a method, and the advice for each. */
const MISTAKES: readonly Mistake[] = [
  {
    pattern: /scope/i,
    fix: {
      code: 'Put scopes that every request needs into requiredScopes of mcpAuth(), and the scopes of a tool under "tools/call" and its name.',
      file: 'Put scopes that every request needs into requiredScopes of mcpAuthentication, and the scopes of a tool under "tools/call" and its name.',
    },
  },
  {
    pattern: /deny|denied|block|forbid|exclude|disallow|reject|hidden/i,
    fix: {
      code: "To deny a tool to every caller, write { 'tools/call': { 'delete_*': false } }.",
      file: 'To deny a tool to every caller, write false under "tools/call" and its name.',
    },
  },
  {
    pattern: /allow|permit|include|only|whitelist/i,
    fix: {
      code: "To allow some tools and no others, write { 'tools/call': { '*': false, a: true, b: true } }.",
      file: 'To allow some tools and no others, write "*": false under "tools/call", and true for each of them.',
    },
  },
  { pattern: /tool/i, fix: forBoth('Rules for tools belong under "tools/call", by name.') },
  { pattern: /prompt/i, fix: forBoth('Rules for prompts belong under "prompts/get", by name.') },
  { pattern: /resource/i, fix: forBoth('Rules for resources belong under "resources/read", by URI.') },
];

/** Returns the advice for a name that is not a method. */
export function suggestMethod(name: string, options: readonly string[], source: RuleSource): string {
  if (name.includes('*')) return 'A "*" can be part of a tool, prompt or resource name, but not of a method.';
  if (options.includes(name)) return `"${name}" is an option: it belongs in the second argument.`;
  const near = nearestName(name, [...METHODS, ...options]);
  if (near !== undefined) return `Did you mean "${near}"?`;
  const mistake = MISTAKES.find(({ pattern }) => pattern.test(name));
  return mistake?.fix[source] ?? 'Write a method, such as "tools/call".';
}

/** Characters that a name has only if the user meant a regular expression or a list. `.*` after a letter or digit may end a word. */
const NO_NAME = /^\^|\$$|^\/.*\/[a-z]*$|[\\|()[\]{}+?,]|(?<![A-Za-z\d])\.\*/;
const NO_URI = /^[.^~/]|\$$|[\\|]/;

/** Returns what is wrong with the name of a rule; undefined if a call can have this name. */
export function patternFault(method: string, pattern: string): { expected: string; fix: string } | undefined {
  if (pattern === '') return { expected: 'keyed by a name', fix: 'Write "*" for every name.' };
  const fix = 'Only "*" is special, and matches any text; write one rule for each name.';
  if (targetMember(method) !== 'uri') {
    return NO_NAME.test(pattern) ? { expected: 'keyed by a name, not by a regular expression', fix } : undefined;
  }
  const expected = 'keyed by a URI, not by a path or a regular expression';
  return NO_URI.test(pattern) ? { expected, fix: `${fix} The URI of a file begins with file:///.` } : undefined;
}

/** True if the user may have meant a pattern as a regular expression. */
export function looksLikeRegExp(pattern: string): boolean {
  return pattern.includes('.*');
}
