import { inspect } from 'node:util';
import type { AuthInfo } from '../core/auth-info.js';
import { ignoreRejection } from '../core/ignore-rejection.js';
import type { Logger } from '../core/logger.js';
import { canonicalName, canonicalUri, canonicalUris } from '../messages/canonical-names.js';
import { describeCall, type McpCall, targetMember } from '../messages/mcp-call.js';
import { isScopeList } from '../options/scope-list.js';
import { createMatcher } from './name-pattern.js';
import type { ResolvedRule, ScopeFunction, ScopeRule } from './scopes-options.js';

/** The scopes that a call needs. `isDenied`: the call is refused whatever scopes the caller has. */
export interface Requirement {
  readonly scopes: readonly string[];
  readonly isDenied: boolean;
}

const NOTHING: Requirement = Object.freeze({ scopes: Object.freeze([]), isDenied: false });
const DENIED: Requirement = Object.freeze({ scopes: Object.freeze([]), isDenied: true });

interface Entry {
  /** Undefined: the rule applies to every call of the method. */
  readonly matches: ReturnType<typeof createMatcher> | undefined;
  readonly requirementOf: (auth: AuthInfo | undefined, call: McpCall) => Requirement;
}

/** Looks up all rules that apply to a call, and returns the call's combined requirement. */
export type RuleBook = (auth: AuthInfo | undefined, call: McpCall) => Requirement;

export function createRuleBook(rules: readonly ResolvedRule[], logger: Logger): RuleBook {
  const book = new Map<string, Entry[]>();
  for (const { method, pattern, rule } of rules) {
    const canonicalise = targetMember(method) === 'uri' ? canonicalUri : canonicalName;
    const matches = pattern === undefined ? undefined : createMatcher(canonicalise(pattern));
    const entries = book.get(canonicalName(method)) ?? [];
    entries.push({ matches, requirementOf: createRequirement(rule, logger) });
    book.set(canonicalName(method), entries);
  }

  return (auth, call) => {
    const entries = book.get(call.method) ?? book.get(canonicalName(call.method));
    if (entries === undefined) return NOTHING;
    const spellings = spellingsOf(call);
    if (spellings === undefined) return DENIED;
    let requirement = NOTHING;
    for (const { matches, requirementOf } of entries) {
      if (matches === undefined || spellings.some(matches))
        requirement = mergeRequirements(requirement, requirementOf(auth, call));
    }
    return requirement;
  };
}

/** Every matching rule counts: a rule that is written later, or is longer, must not override another. */
function mergeRequirements(one: Requirement, other: Requirement): Requirement {
  if (one === NOTHING) return other;
  return { scopes: [...new Set([...one.scopes, ...other.scopes])], isDenied: one.isDenied || other.isDenied };
}

function spellingsOf({ method, target }: McpCall): readonly string[] | undefined {
  if (target === undefined) return [];
  return targetMember(method) === 'uri' ? canonicalUris(target) : [canonicalName(target)];
}

function createRequirement(rule: ScopeRule, logger: Logger): Entry['requirementOf'] {
  if (typeof rule !== 'function') {
    const requirement = Object.freeze({ scopes: rule, isDenied: false });
    return () => requirement;
  }
  return (auth, call) => requirementOfFunction(rule, auth, call, logger);
}

function requirementOfFunction(
  rule: ScopeFunction,
  auth: AuthInfo | undefined,
  call: McpCall,
  logger: Logger,
): Requirement {
  let answer: unknown;
  try {
    answer = rule(auth, call);
  } catch (error) {
    logger.error(`mcpScopes(): the rule for ${describeCall(call)} threw, so the call is denied: ${reasonOf(error)}`);
    return DENIED;
  }
  if (answer === true) return NOTHING;
  // A promise is denied below. Without a handler, its later rejection would end the process.
  ignoreRejection(answer);
  // Only `true` and a list with scopes can allow. All else denies: a promise, a missing return, an empty list.
  return isScopeList(answer) && answer.length > 0 ? { scopes: answer, isDenied: false } : DENIED;
}

/** JavaScript can throw any value, including `null`. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : inspect(error);
}
