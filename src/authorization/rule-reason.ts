import type { RuleDecision } from './authorization-rules.js';

/** Describes why a call is allowed or denied: the place of the rule that decided, or a phrase. Undefined: the call's name is unusable. */
export function describeReason(decision: RuleDecision | undefined): string {
  if (decision === undefined) return 'rules cannot decide on its name';
  const { rule, isAllowed, missingScopes } = decision;
  if (rule !== undefined) return rule.at;
  if (isAllowed) return 'no rule denies it, and there is no allow rule';
  return missingScopes.length > 0 ? `the caller lacks a scope of ${missingScopes.join(' ')}` : 'no rule allows it';
}
