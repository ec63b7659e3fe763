import type { CallVariables } from './expressions/call-variables.js';
import { charge, type ExpressionOutcome } from './expressions/evaluation.js';
import type { Expression } from './expressions/expression.js';
import { createRememberedOutcomes, type Outcomes, readsLastingOnly } from './remembered-outcomes.js';
import type { RuleSpelling } from './rule-spellings.js';

/** A rule of `mcpAuthorization()`, checked. */
export interface AuthorizationRule {
  readonly kind: 'allow' | 'deny' | 'require';
  readonly expression: Expression;
  /** The scopes that the caller must have for an `allow` rule, in addition. */
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

/** One named thing of a call, with everything that rules may read about it. */
export interface RuleInput {
  readonly variables: CallVariables;
  readonly scopes: ReadonlySet<string>;
  /** True if the arguments are too long for rules to read. */
  readonly hasLongArguments: boolean;
  /** The kind, the target and the name that a call has. Undefined if rules are about requests. */
  readonly subject?: string;
  /** The other spellings of the URI that a call has. */
  readonly spellings?: () => readonly RuleSpelling[];
}

/** A rule with what is known about it before any call. */
interface PreparedRule {
  readonly rule: AuthorizationRule;
  readonly number: number;
  readonly readsArguments: boolean;
  readonly readsUri: boolean;
  /** True if its outcome can be remembered. */
  readonly isLasting: boolean;
}

/** Receives each rule that failed, and the code of its failure. */
export type FailureReport = (rule: AuthorizationRule, code: string) => void;

export const ARGUMENTS = 'mcp.tool.arguments';

/** The rules of `mcpAuthorization()`, which decide together. */
export interface AuthorizationRules {
  readonly readsArguments: boolean;
  /** Evaluates one rule. */
  evaluate(rule: AuthorizationRule, input: RuleInput): ExpressionOutcome;
  decide(input: RuleInput): RuleDecision;
}

/**
 * Decides as agentgateway does: a `deny` rule that is true denies, and so does a `require` rule that is not; then an `allow` rule that is
 * true allows; then the call is allowed only if there is no `allow` rule. One difference: a `deny` rule that fails denies too, unless it
 * fails only because the call has no such variable.
 */
export function createAuthorizationRules(
  rules: readonly AuthorizationRule[],
  report: FailureReport,
): AuthorizationRules {
  const prepared = rules.map(prepare);
  const [deny, require, allow] = (['deny', 'require', 'allow'] as const).map((kind) =>
    prepared.filter(({ rule }) => rule.kind === kind),
  ) as [PreparedRule[], PreparedRule[], PreparedRule[]];
  const denying = [...deny, ...require];
  const outcomesFor = createRememberedOutcomes();

  const evaluate = (rule: AuthorizationRule, input: RuleInput): ExpressionOutcome => {
    if (input.hasLongArguments && readsArguments(rule)) {
      report(rule, 'arguments_too_long');
      return 'failed';
    }
    return rule.expression.evaluate(input.variables, (code) => report(rule, code));
  };

  /** Evaluates a rule unless its outcome is known. Failures are not remembered, since each one is reported. */
  const recall = ({ rule, number, isLasting }: PreparedRule, input: RuleInput, known: Outcomes | undefined) => {
    if (known === undefined || !isLasting) return evaluate(rule, input);
    const remembered = known[number];
    if (remembered !== undefined) return remembered;
    const outcome = evaluate(rule, input);
    if (typeof outcome === 'boolean') known[number] = outcome;
    return outcome;
  };

  const deniesSpelling = ({ rule, readsUri }: PreparedRule, { spellings }: RuleInput): boolean =>
    readsUri && spellings !== undefined && deniesAnotherSpelling(rule, spellings(), report);

  const denies = (each: PreparedRule, input: RuleInput, known: Outcomes | undefined): boolean =>
    wouldDeny(each.rule, recall(each, input, known)) || deniesSpelling(each, input);

  const decideAllow = (input: RuleInput, known: Outcomes | undefined): RuleDecision => {
    const lacksNothing = ({ rule }: PreparedRule) => rule.scopes.every((scope) => input.scopes.has(scope));
    const found = allow.find((each) => lacksNothing(each) && !denies(each, input, known));
    if (found !== undefined) return { isAllowed: true, rule: found.rule, missingScopes: [] };
    // A rule that would allow the call if the token had its scopes. The expression may read the scopes too.
    const lacking = allow.find(
      (each) => !lacksNothing(each) && !(input.hasLongArguments && each.readsArguments) && wouldHold(each.rule, input),
    );
    return { isAllowed: allow.length === 0, rule: undefined, missingScopes: lacking?.rule.scopes ?? [] };
  };

  return {
    readsArguments: rules.some(readsArguments),
    evaluate,
    decide(input) {
      const known = outcomesFor(input);
      const found = denying.find((each) => denies(each, input, known));
      if (found !== undefined) return { isAllowed: false, rule: found.rule, missingScopes: [] };
      return decideAllow(input, known);
    },
  };
}

function prepare(rule: AuthorizationRule, number: number): PreparedRule {
  const { reads } = rule.expression;
  return {
    rule,
    number,
    readsArguments: readsArguments(rule),
    readsUri: reads.has('mcp.resource.name'),
    isLasting: readsLastingOnly(reads),
  };
}

function readsArguments({ expression }: AuthorizationRule): boolean {
  return expression.reads.has(ARGUMENTS);
}

function wouldHold({ expression, scopes }: AuthorizationRule, { variables, scopes: granted }: RuleInput): boolean {
  const all = [...granted, ...scopes];
  const jwt = new Map(variables.jwt).set('scope', all.join(' ')).set('scp', all);
  return mayHold(expression.evaluate({ ...variables, jwt }, () => undefined));
}

/** Units of work to evaluate a rule on another spelling, in addition to those of the expression. */
const SPELLING_UNITS = 40;

/**
 * True if a rule denies another spelling of a URI, but not URIs in general: `deny: name == "memo://a"` may do that, and
 * `deny: name != "memo://a"` does not. Also true if the limit on the work of expressions is reached before that is known.
 */
function deniesAnotherSpelling(
  rule: AuthorizationRule,
  spellings: readonly RuleSpelling[],
  report: FailureReport,
): boolean {
  let code: string | undefined;
  try {
    const found = spellings.some(({ variables, placeholders }) => {
      const { outcome, failure } = evaluateSpelling(rule, variables);
      code = failure;
      const deniesToo = (other: CallVariables) =>
        wouldDenyPlaceholder(rule, outcome, evaluateSpelling(rule, other).outcome);
      return wouldDeny(rule, outcome) && !placeholders.every((group) => group.some(deniesToo));
    });
    if (!found) return false;
  } catch {
    // Only `charge()` throws.
    code = 'too_much_work';
  }
  if (code !== undefined) report(rule, code);
  return true;
}

/** @throws {ExpressionFault} If the expressions of the request, with this one, have done too much work. */
function evaluateSpelling({ expression }: AuthorizationRule, variables: CallVariables) {
  let failure: string | undefined;
  const outcome = expression.evaluate(variables, (code) => {
    failure = code;
  });
  charge(SPELLING_UNITS);
  return { outcome, failure };
}

/** True for a rule that also denies a placeholder URI. A rule that fails there does not excuse one that decides here. */
function wouldDenyPlaceholder(rule: AuthorizationRule, outcome: ExpressionOutcome, other: ExpressionOutcome): boolean {
  return wouldDeny(rule, other) && (typeof outcome !== 'boolean' || typeof other === 'boolean');
}

/** True for a `deny` rule that denies, and for another that does not hold. */
function wouldDeny({ kind }: AuthorizationRule, outcome: ExpressionOutcome): boolean {
  return kind === 'deny' ? outcome === true || outcome === 'failed' : !mayHold(outcome);
}

/** True for a rule that is true, or may become true when the arguments are known: lists show what may be called. */
function mayHold(outcome: ExpressionOutcome): boolean {
  return outcome === true || outcome === 'unknown';
}
