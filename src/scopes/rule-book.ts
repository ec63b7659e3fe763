import type { AuthInfo } from '../auth-info.js';
import type { Logger } from '../logger.js';
import { describeCall, type McpCall, targetMember } from '../mcp-call.js';
import { isScopeList } from '../options/scope-list.js';
import type { ResolvedRule, ScopeFunction, ScopeRule } from '../options/scopes-options.js';
import { createMatcher, type Matcher } from './name-pattern.js';
import { spellingsOfUri, spellName, spellUri } from './spellings.js';

/** What a call takes. `isDenied`: no scope helps. */
export interface Demand {
  readonly scopes: readonly string[];
  readonly isDenied: boolean;
}

const NOTHING: Demand = Object.freeze({ scopes: Object.freeze([]), isDenied: false });
const DENIED: Demand = Object.freeze({ scopes: Object.freeze([]), isDenied: true });

interface Entry {
  /** Undefined: every call of the method. */
  readonly matches: Matcher | undefined;
  readonly demand: (auth: AuthInfo | undefined, call: McpCall) => Demand;
}

/** All rules, by method. */
export type RuleBook = (auth: AuthInfo | undefined, call: McpCall) => Demand;

export function createRuleBook(rules: readonly ResolvedRule[], logger: Logger): RuleBook {
  const book = new Map<string, Entry[]>();
  for (const { method, pattern, rule } of rules) {
    const spell = targetMember(method) === 'uri' ? spellUri : spellName;
    const matches = pattern === undefined ? undefined : createMatcher(spell(pattern));
    const entries = book.get(spellName(method)) ?? [];
    entries.push({ matches, demand: demandOf(rule, logger) });
    book.set(spellName(method), entries);
  }

  return (auth, call) => {
    const entries = book.get(spellName(call.method));
    if (entries === undefined) return NOTHING;
    const spellings = spellingsOf(call);
    if (spellings === undefined) return DENIED;
    const fitting = entries.filter(({ matches }) => matches === undefined || spellings.some(matches));
    return all(fitting.map(({ demand }) => demand(auth, call)));
  };
}

/** Every fitting rule counts: the one that is written last, or longer, must not undo another. */
function all(demands: readonly Demand[]): Demand {
  if (demands.length <= 1) return demands[0] ?? NOTHING;
  return {
    scopes: [...new Set(demands.flatMap(({ scopes }) => scopes))],
    isDenied: demands.some(({ isDenied }) => isDenied),
  };
}

function spellingsOf({ method, target }: McpCall): readonly string[] | undefined {
  if (target === undefined) return [];
  return targetMember(method) === 'uri' ? spellingsOfUri(target) : [spellName(target)];
}

function demandOf(rule: ScopeRule, logger: Logger): Entry['demand'] {
  if (typeof rule !== 'function') {
    const demand = Object.freeze({ scopes: rule, isDenied: false });
    return () => demand;
  }
  return (auth, call) => demandOfFunction(rule, auth, call, logger);
}

function demandOfFunction(rule: ScopeFunction, auth: AuthInfo | undefined, call: McpCall, logger: Logger): Demand {
  let answer: unknown;
  try {
    answer = rule(auth, call);
  } catch (error) {
    logger.error(`mcpScopes(): the rule for ${describeCall(call)} threw, which denies: ${(error as Error).message}`);
    return DENIED;
  }
  if (answer === true) return NOTHING;
  // Whatever is not clearly a yes is a no: a promise, a missing return, an empty list.
  return isScopeList(answer) && answer.length > 0 ? { scopes: answer, isDenied: false } : DENIED;
}
