import type { CallVariables } from './expressions/call-variables.js';
import type { Outcome } from './expressions/evaluation.js';
import type { Expression } from './expressions/expression.js';

/** A rule of `mcpAuthorization()`, checked. */
export interface AuthorizationRule {
  readonly kind: 'allow' | 'deny' | 'require';
  readonly expression: Expression;
  /** The scopes that an `allow` rule needs besides. */
  readonly scopes: readonly string[];
  /** Its place, for messages: `rules[0].deny`. */
  readonly at: string;
}

export interface RuleDecision {
  readonly isAllowed: boolean;
  /** The rule that decided. Undefined if no rule matched. */
  readonly rule: AuthorizationRule | undefined;
  /** The scopes that the caller lacks for an `allow` rule that matches otherwise. */
  readonly missingScopes: readonly string[];
}

/** What a decision is about. */
export interface RuleInput {
  readonly variables: CallVariables;
  readonly scopes: ReadonlySet<string>;
  /** True if the arguments are too long for rules to read. */
  readonly hasLongArguments: boolean;
}

/** Receives each rule that failed, and the code of its failure. */
export type FailureReport = (rule: AuthorizationRule, code: string) => void;

export const ARGUMENTS = 'mcp.tool.arguments';

export interface RuleSet {
  readonly readsArguments: boolean;
  /** Evaluates one rule. */
  evaluate(rule: AuthorizationRule, input: RuleInput): Outcome;
  decide(input: RuleInput): RuleDecision;
}

/**
 * Creates the decision of agentgateway: a `deny` that matches or a `require` that does not denies; then an `allow` that matches allows;
 * then only rules without any `allow` do. One difference: a `deny` that fails denies too, unless only because the call has no such
 * variable.
 */
export function createRuleSet(rules: readonly AuthorizationRule[], report: FailureReport): RuleSet {
  const [deny, require, allow] = (['deny', 'require', 'allow'] as const).map((kind) =>
    rules.filter((rule) => rule.kind === kind),
  ) as [AuthorizationRule[], AuthorizationRule[], AuthorizationRule[]];
  const readsArguments = ({ expression }: AuthorizationRule) => expression.reads.has(ARGUMENTS);

  const evaluate = (rule: AuthorizationRule, input: RuleInput): Outcome => {
    if (input.hasLongArguments && readsArguments(rule)) {
      report(rule, 'arguments_too_long');
      return 'failed';
    }
    return rule.expression.evaluate(input.variables, (code) => report(rule, code));
  };

  const decideAllow = (input: RuleInput): RuleDecision => {
    const lacksNothing = ({ scopes }: AuthorizationRule) => scopes.every((scope) => input.scopes.has(scope));
    const rule = allow.find((each) => lacksNothing(each) && mayHold(evaluate(each, input)));
    if (rule !== undefined) return { isAllowed: true, rule, missingScopes: [] };
    // Would a rule match, had the token its scopes? An expression may look at them too.
    const lacking = allow.find(
      (each) => !lacksNothing(each) && !(input.hasLongArguments && readsArguments(each)) && wouldHold(each, input),
    );
    return { isAllowed: allow.length === 0, rule: undefined, missingScopes: lacking?.scopes ?? [] };
  };

  return {
    readsArguments: rules.some(readsArguments),
    evaluate,
    decide(input) {
      const denying =
        deny.find((rule) => DENYING.has(evaluate(rule, input))) ??
        require.find((rule) => !mayHold(evaluate(rule, input)));
      return denying === undefined ? decideAllow(input) : { isAllowed: false, rule: denying, missingScopes: [] };
    },
  };
}

function wouldHold({ expression, scopes }: AuthorizationRule, { variables, scopes: granted }: RuleInput): boolean {
  const all = [...granted, ...scopes];
  const jwt = new Map(variables.jwt).set('scope', all.join(' ')).set('scp', all);
  return mayHold(expression.evaluate({ ...variables, jwt }, () => undefined));
}

/** Outcomes of a `deny` rule that deny. */
const DENYING: ReadonlySet<Outcome> = new Set([true, 'failed']);

/** True for a rule that holds, or may hold once the arguments are known: lists show what may be called. */
function mayHold(outcome: Outcome): boolean {
  return outcome === true || outcome === 'unknown';
}
