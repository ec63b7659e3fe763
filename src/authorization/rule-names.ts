import { METHODS, targetMember } from '../messages/mcp-call.js';
import { nearestName } from '../options/checks.js';

/** The place where rules are written: a file has no functions, and its `mcpAuthentication` is what code calls `mcpAuth()`. */
export type RuleSource = 'code' | 'file';

/**
 * True if a rule may have this name: a request of MCP, or a method of the user's own, which has a slash. Under any other
 * name it would be a rule for a method that no client calls, and restrict nothing.
 */
export function isMethodName(name: string): boolean {
  if (METHODS.includes(name)) return true;
  return name.includes('/') && !name.includes('*') && nearestName(name, METHODS) === undefined;
}

interface Meaning {
  readonly pattern: RegExp;
  readonly fix: Readonly<Record<RuleSource, string>>;
}

const alike = (fix: string) => ({ code: fix, file: fix });

/** Names that users write in the place of a method, and the advice for each. */
const MEANINGS: readonly Meaning[] = [
  {
    pattern: /scope/i,
    fix: {
      code: 'Scopes that every request needs are requiredScopes of mcpAuth(); those of a tool belong under "tools/call" and its name.',
      file: 'Scopes that every request needs are requiredScopes of mcpAuthentication; those of a tool belong under "tools/call" and its name.',
    },
  },
  {
    pattern: /deny|denied|block|forbid|exclude|disallow|reject|hidden/i,
    fix: {
      code: "To deny a tool to everybody, write { 'tools/call': { 'delete_*': () => false } }.",
      file: 'To keep callers from a tool, give it a scope that they do not have, under "tools/call" and its name.',
    },
  },
  {
    pattern: /allow|permit|include|only|whitelist/i,
    fix: {
      code: "To allow some tools and no others, write { 'tools/call': (auth, { target }) => ['a', 'b'].includes(target) }.",
      file: 'A tool that no rule fits may be called: write "*" with a scope under "tools/call" to restrict all of them.',
    },
  },
  { pattern: /tool/i, fix: alike('Rules for tools belong under "tools/call", by name.') },
  { pattern: /prompt/i, fix: alike('Rules for prompts belong under "prompts/get", by name.') },
  { pattern: /resource/i, fix: alike('Rules for resources belong under "resources/read", by URI.') },
];

/** The advice for a name that is no method. */
export function suggestMethod(name: string, options: readonly string[], source: RuleSource): string {
  if (name.includes('*')) return 'A star can be part of names, not of methods.';
  if (options.includes(name)) return `"${name}" is an option: it belongs in the second argument.`;
  const near = nearestName(name, [...METHODS, ...options]);
  if (near !== undefined) return `Did you mean "${near}"?`;
  const meaning = MEANINGS.find(({ pattern }) => pattern.test(name));
  return meaning?.fix[source] ?? 'Write a method, such as "tools/call".';
}

/** Characters that a name has only if a regular expression or a list was meant; a dot before a star may end a word. */
const NO_NAME = /^\^|\$$|^\/.*\/[a-z]*$|[\\|()[\]{}+?,]|(?<![A-Za-z\d])\.\*/;
const NO_URI = /^[.^~/]|\$$|[\\|]/;

/** Why the name of a rule is none that a call can have; undefined where it is one. */
export function patternFault(method: string, pattern: string): { expected: string; fix: string } | undefined {
  if (pattern === '') return { expected: 'under a name', fix: 'Write "*" for every name.' };
  const fix = 'Only "*" is special, and stands for any text; write a rule for each name.';
  if (targetMember(method) !== 'uri') {
    return NO_NAME.test(pattern) ? { expected: 'under a name, not a regular expression', fix } : undefined;
  }
  const expected = 'under a URI, neither a path nor a regular expression';
  return NO_URI.test(pattern) ? { expected, fix: `${fix} A file is file:///….` } : undefined;
}

/** True if a pattern also reads as a regular expression, with another meaning. */
export function isDoubtful(pattern: string): boolean {
  return pattern.includes('.*');
}
