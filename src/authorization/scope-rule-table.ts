import { inspect } from 'node:util';
import type { AuthInfo } from '../core/auth-info.js';
import { ignoreRejection } from '../core/ignore-rejection.js';
import type { Logger } from '../core/logger.js';
import { canonicalName, canonicalUri, canonicalUris } from '../messages/canonical-names.js';
import { describeCall, isTargeted, type McpCall, targetMember } from '../messages/mcp-call.js';
import { isScopeList } from '../options/scope-list.js';
import { impliedCalls } from './implied-calls.js';
import { createMatcher, narrownessOf } from './name-pattern.js';
import type { ResolvedRule, ScopeFunction, ScopeRule } from './scopes-options.js';
import { joinUser, otherSpellingsOf } from './uri-spellings.js';

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
  /** Compares with the name as sent. Only a rule that matches so overrides `false`: a server may have both `echo` and `ECHO`. */
  readonly matchesAsSent: ReturnType<typeof createMatcher>;
  readonly narrowness: number;
  /** True for the rule `false`, which a narrower rule overrides. */
  readonly isFalse: boolean;
  /** True if the rule allows some callers and denies others. */
  readonly dependsOnCaller: boolean;
  readonly requirementOf: (auth: AuthInfo | undefined, call: McpCall) => Requirement;
}

/** The rules of `mcpScopes()`. */
export interface ScopeRuleTable {
  /** Looks up all rules that apply to a call, and returns the call's combined requirement. */
  readonly requirementOf: (auth: AuthInfo | undefined, call: McpCall) => Requirement;
  /** True if the rules that apply to a call may allow it to some callers and deny it to others. */
  readonly dependsOnCaller: (call: McpCall) => boolean;
}

export function createScopeRuleTable(rules: readonly ResolvedRule[], logger: Logger): ScopeRuleTable {
  const table = new Map<string, Entry[]>();
  for (const resolved of rules) {
    const method = canonicalName(resolved.method);
    table.set(method, [...(table.get(method) ?? []), createEntry(resolved, logger)]);
  }

  const entriesFor = ({ method }: McpCall) => table.get(method) ?? table.get(canonicalName(method));
  const requirementOf: ScopeRuleTable['requirementOf'] = (auth, call) => {
    const entries = entriesFor(call);
    if (entries === undefined) return NOTHING;
    const spellings = spellingsOf(call);
    if (spellings === undefined) return DENIED;
    const others = otherCanonicalUris(call);
    let requirement = NOTHING;
    for (const entry of entries) {
      if (!appliesTo(entry, spellings, others)) continue;
      if (!entry.isFalse) requirement = mergeRequirements(requirement, entry.requirementOf(auth, call));
      else if (isDenied(entries, spellings, others, call.target)) return DENIED;
    }
    return requirement;
  };
  return {
    requirementOf: (auth, call) =>
      impliedCalls(call).reduce(
        (requirement, implied) => mergeRequirements(requirement, requirementOf(auth, implied)),
        requirementOf(auth, call),
      ),
    dependsOnCaller: (call) => [call, ...impliedCalls(call)].some((each) => dependsOnCaller(entriesFor(each), each)),
  };
}

function dependsOnCaller(entries: readonly Entry[] | undefined, call: McpCall): boolean {
  const candidates = entries?.filter((entry) => entry.dependsOnCaller) ?? [];
  if (candidates.length === 0) return false;
  const spellings = spellingsOf(call) ?? [];
  const others = otherCanonicalUris(call);
  return candidates.some((entry) => appliesTo(entry, spellings, others));
}

function appliesTo({ matches }: Entry, spellings: readonly string[], others: readonly string[]): boolean {
  return matches === undefined || spellings.some(matches) || others.some(matches);
}

function createEntry({ method, pattern, rule }: ResolvedRule, logger: Logger): Entry {
  const requirementOf = createRequirement(rule, logger);
  const shared = { isFalse: rule === false, dependsOnCaller: typeof rule !== 'boolean', requirementOf };
  if (pattern === undefined) return { ...shared, matches: undefined, matchesAsSent: () => true, narrowness: -1 };
  const canonical = targetMember(method) === 'uri' ? canonicalUri(pattern) : canonicalName(pattern);
  const matches = createMatcher(canonical);
  return { ...shared, matches, matchesAsSent: createMatcher(pattern), narrowness: narrownessOf(canonical) };
}

/**
 * True if the narrowest rule for a spelling is `false`. Each spelling counts: `file:///public/../secret` must not be allowed by a rule
 * for `file:///public/*`. A server gets one of the `others` if it reads only a part of the URI, for example without the user or the port. For
 * these, a rule for the URI as sent counts too: `db://h:5432/*` allows `db://h:5432/a` in spite of a denial of `db://h/*`.
 */
function isDenied(
  entries: readonly Entry[],
  spellings: readonly string[],
  others: readonly string[],
  target = '',
): boolean {
  const candidates = entries.filter(({ isFalse, matchesAsSent }) => isFalse || matchesAsSent(target));
  const isMatching = (text: string) => (entry: Entry) => entry.matches?.(text) ?? true;
  const texts = spellings.length > 0 ? spellings : [''];
  if (texts.some((text) => isNarrowestFalse(candidates.filter(isMatching(text))))) return true;
  const joined = joinUser(target);
  const isForTarget = (entry: Entry) => !entry.isFalse && (joined === target || !entry.matchesAsSent(joined));
  return others.some((text) =>
    isNarrowestFalse(candidates.filter((entry) => isMatching(text)(entry) || isForTarget(entry))),
  );
}

function isNarrowestFalse(entries: readonly Entry[]): boolean {
  const narrowest = Math.max(...entries.map(({ narrowness }) => narrowness));
  return entries.some(({ narrowness, isFalse }) => isFalse && narrowness === narrowest);
}

/** Every matching rule counts: a rule that is written later, or is longer, must not override another. */
function mergeRequirements(one: Requirement, other: Requirement): Requirement {
  if (one === NOTHING) return other;
  return { scopes: [...new Set([...one.scopes, ...other.scopes])], isDenied: one.isDenied || other.isDenied };
}

/** Undefined for a call that is denied: its target cannot be told. */
function spellingsOf({ method, target }: McpCall): readonly string[] | undefined {
  if (target === undefined) return isTargeted(method) ? undefined : [];
  return targetMember(method) === 'uri' ? canonicalUris(target) : [canonicalName(target)];
}

/** Spellings by which servers find a resource that look only at a part of the URI, for example not at the user in it. */
function otherCanonicalUris({ method, target }: McpCall): readonly string[] {
  return target !== undefined && targetMember(method) === 'uri' ? otherSpellingsOf(target).map(canonicalUri) : [];
}

function createRequirement(rule: ScopeRule, logger: Logger): Entry['requirementOf'] {
  if (typeof rule === 'boolean') return () => (rule ? NOTHING : DENIED);
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
  try {
    return requirementOfAnswer(rule(auth, call));
  } catch (error) {
    logger.error(`mcpScopes(): the rule for ${describeCall(call)} threw, so the call is denied: ${reasonOf(error)}`);
    return DENIED;
  }
}

function requirementOfAnswer(answer: unknown): Requirement {
  if (answer === true) return NOTHING;
  // A promise is denied below. Without a handler, its later rejection would end the process.
  ignoreRejection(answer);
  // Only `true` and a list with scopes can allow. All else denies: a promise, a missing return, an empty list.
  return isScopeList(answer) && answer.length > 0 ? { scopes: [...answer], isDenied: false } : DENIED;
}

/** JavaScript can throw any value, including `null`, and one that throws when it is read. */
function reasonOf(error: unknown): string {
  try {
    return error instanceof Error && typeof error.message === 'string' ? error.message : inspect(error);
  } catch {
    return 'a value that cannot be read';
  }
}
