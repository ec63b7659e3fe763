import { inspect } from 'node:util';
import type { AuthInfo } from '../core/auth-info.js';
import { ignoreRejection } from '../core/ignore-rejection.js';
import type { Logger } from '../core/logger.js';
import { describeCall, type McpCall, targetMember } from '../messages/mcp-call.js';
import { isScopeList } from '../options/scope-list.js';
import { canonicalName, canonicalUri, canonicalUris } from './canonical-names.js';
import { createMatcher } from './name-pattern.js';
import type { ResolvedRule, ScopeFunction, ScopeRule } from './scopes-options.js';

/** What a call takes. `isDenied`: no scope helps. */
export interface Requirement {
  readonly scopes: readonly string[];
  readonly isDenied: boolean;
}

const NOTHING: Requirement = Object.freeze({ scopes: Object.freeze([]), isDenied: false });
const DENIED: Requirement = Object.freeze({ scopes: Object.freeze([]), isDenied: true });

interface Entry {
  /** Undefined: every call of the method. */
  readonly matches: ReturnType<typeof createMatcher> | undefined;
  readonly requirementOf: (auth: AuthInfo | undefined, call: McpCall) => Requirement;
}

/** All rules, by method. */
export type RuleBook = (auth: AuthInfo | undefined, call: McpCall) => Requirement;

export function createRuleBook(rules: readonly ResolvedRule[], logger: Logger): RuleBook {
  const book = new Map<string, Entry[]>();
  for (const { method, pattern, rule } of rules) {
    const spell = targetMember(method) === 'uri' ? canonicalUri : canonicalName;
    const matches = pattern === undefined ? undefined : createMatcher(spell(pattern));
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

/** Every fitting rule counts: the one that is written last, or longer, must not undo another. */
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
    logger.error(`mcpScopes(): the rule for ${describeCall(call)} threw, which denies: ${reasonOf(error)}`);
    return DENIED;
  }
  if (answer === true) return NOTHING;
  // A promise is denied below. One that is rejected later, and that nobody listens to, would end the process.
  ignoreRejection(answer);
  // Whatever is not clearly a yes is a no: a promise, a missing return, an empty list.
  return isScopeList(answer) && answer.length > 0 ? { scopes: answer, isDenied: false } : DENIED;
}

/** Anything can be thrown, also `null`. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : inspect(error);
}
