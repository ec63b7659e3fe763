import type { Logger } from '../core/logger.js';
import { isRecord } from '../http/json-object.js';
import type { TargetNoun } from '../messages/mcp-call.js';
import { requireArgument } from '../options/argument.js';
import type { OptionChecks } from '../options/checks.js';
import { createChecks, nearestName } from '../options/checks.js';
import { resolveLogger } from '../options/logger-option.js';
import {
  flag,
  type OptionTable,
  optional,
  type ResolvedOptions,
  readOptions,
  wholeNumber,
  word,
} from '../options/option-table.js';
import { requireScopes } from '../options/scope-list.js';
import { either, listOf, type Member, membersOf, TEXT, TEXTS } from '../options/value-type.js';
import type { CallOptions } from '../telemetry/call-record.js';
import { CALL_ROWS } from '../telemetry/call-rows.js';
import type { AuthorizationRule } from './authorization-rules.js';
import type { Expression } from './expressions/expression.js';
import { placeIn, readExpression } from './read-expression.js';

/**
 * A rule in CEL, the Common Expression Language. A string is an `allow` rule. With `scopes`, an `allow` rule also needs these scopes, and
 * `onDenied: 'challenge'` names them.
 */
export type AuthorizationRuleOption = string | AllowRule | DenyRule | RequireRule;

/** Allows a call if its expression is true. */
export interface AllowRule {
  /** The expression. */
  readonly allow: string;
  /** Scopes that the caller must have too, all of them. @default none */
  readonly scopes?: readonly string[] | undefined;
}

/** Denies a call if its expression is true or fails. */
export interface DenyRule {
  /** The expression. */
  readonly deny: string;
  /** Only an `allow` rule has scopes. @default none */
  readonly scopes?: undefined;
}

/** Denies a call unless its expression is true. */
export interface RequireRule {
  /** The expression. */
  readonly require: string;
  /** Only an `allow` rule has scopes. @default none */
  readonly scopes?: undefined;
}

/** Finds the target of a name that clients use, and the target's own name. */
export interface RuleBackend {
  /** The names of all targets. A rule that compares with another name is refused. @default not known: no name is refused */
  readonly targets?: readonly string[] | undefined;
  /** Returns undefined for a name that no target can have. */
  resolve(kind: TargetNoun, name: string): TargetName | undefined;
}

/** A name as its target knows it. */
export interface TargetName {
  /** The target, as `mcp.tool.target`. */
  readonly target: string;
  /** The name, as `mcp.tool.name`. */
  readonly name: string;
}

/** The options of `mcpAuthorization()`. */
export interface McpAuthorizationOptions extends CallOptions {
  /** Expressions that decide who may make which call. */
  readonly rules: readonly AuthorizationRuleOption[];
  /**
   * The backend that gets the calls, if it has several targets: rules then see the target's own name, and `mcp.tool.target`.
   * @default rules see the names that clients use
   */
  readonly backend?: RuleBackend | undefined;
  /**
   * `unknown`: a denied call is answered as if its tool did not exist, as by agentgateway. `challenge`: 403, with the scopes of a rule that
   * would allow it with them, or 401 for a caller without a token.
   *
   * @default 'unknown'
   */
  readonly onDenied?: 'unknown' | 'challenge' | undefined;
  /** `permissive` lets every call pass, and logs what would be denied. @default 'strict' */
  readonly mode?: 'strict' | 'permissive' | undefined;
  /** Removes tools, prompts and resources that the caller may not use from list answers, as `hide` of `mcpScopes()`. @default true */
  readonly hide?: boolean | undefined;
  /** Bytes. A longer body is answered 413. @default 4194304 */
  readonly maxBodyBytes?: number | undefined;
  /** Receives a line for each denial at `debug` (for each rule, one a minute at `info`), and once a minute for each rule that fails. @default no logging */
  readonly logger?: Logger | undefined;
}

const KINDS = ['allow', 'deny', 'require'] as const;

const RULE = {
  allow: { type: TEXT },
  deny: { type: TEXT },
  require: { type: TEXT },
  scopes: { type: TEXTS, otherwise: 'none' },
} as const satisfies Readonly<Record<(typeof KINDS)[number] | 'scopes', Member>>;

/** Rules as a configuration file has them. */
export const RULES_TYPE = listOf(either(TEXT, membersOf('rule', RULE)), 1);

export const AUTHORIZATION_TABLE = {
  rules: { type: RULES_TYPE, read: readRules },
  backend: { read: optional(readBackend) },
  onDenied: word(['unknown', 'challenge'], 'unknown', 'Leave it out to hide what is denied.'),
  mode: word(['strict', 'permissive'], 'strict', 'Leave it out for "strict".'),
  hide: flag(true),
  maxBodyBytes: wholeNumber(4_194_304, 1),
  logger: { read: resolveLogger },
  ...CALL_ROWS,
} satisfies OptionTable<McpAuthorizationOptions>;

export type ResolvedAuthorization = ResolvedOptions<typeof AUTHORIZATION_TABLE>;

/** The function, in messages. */
export const WHO = 'mcpAuthorization()';
const EXAMPLE = `{ rules: ['mcp.tool.name == "echo"'] }`;

/** @throws {ConfigError} */
export function resolveAuthorizationOptions(options: unknown): ResolvedAuthorization {
  const checks = createChecks(WHO);
  const resolved = readOptions(checks, AUTHORIZATION_TABLE, requireArgument(checks, options, { example: EXAMPLE }));
  const { backend, rules } = resolved;
  if (backend === undefined) refuseTargets(checks, rules);
  else if (backend.targets !== undefined) requireTargets(checks, rules, backend.targets);
  return resolved;
}

const RULES_FIX = `Write rules: ['mcp.tool.name == "echo"', { deny: 'mcp.tool.name == "delete"' }].`;

/** @throws {ConfigError} */
export function readRules(checks: OptionChecks, given: unknown, option: string): readonly AuthorizationRule[] {
  if (!Array.isArray(given) || given.length === 0)
    return checks.refuse(option, 'a list of at least one rule', given, RULES_FIX);
  return Object.freeze(given.map((rule: unknown, i) => readRule(checks, rule, `${option}[${i}]`)));
}

const RULE_FORM = 'an expression, or an object with one of allow, deny and require';
function readRule(checks: OptionChecks, given: unknown, option: string): AuthorizationRule {
  if (typeof given === 'string') {
    return { kind: 'allow', expression: readRuleExpression(checks, given, option), scopes: [], at: option };
  }
  if (!isRecord(given)) return checks.refuse(option, RULE_FORM, given, RULES_FIX);
  const rule = checks.record(given, option, RULES_FIX);
  checks.knownKeys(rule, option, Object.keys(RULE));
  const [kind, ...more] = KINDS.filter((name) => rule[name] !== undefined);
  if (kind === undefined || more.length > 0) return checks.refuse(option, RULE_FORM, given, RULES_FIX);
  if (rule.scopes !== undefined && kind !== 'allow')
    checks.refuse(`${option}.scopes`, 'left out', rule.scopes, 'Only a rule with allow may have scopes.');
  return {
    kind,
    expression: readRuleExpression(checks, rule[kind], `${option}.${kind}`),
    scopes: rule.scopes === undefined ? [] : readRuleScopes(checks, rule.scopes, `${option}.scopes`),
    at: `${option}.${kind}`,
  };
}

function readRuleScopes(checks: OptionChecks, given: unknown, option: string): readonly string[] {
  const fix = 'List the scopes that the rule needs, or leave scopes out.';
  const scopes = requireScopes(checks, given, option, fix);
  return scopes.length > 0 ? scopes : checks.refuse(option, 'a non-empty array of scopes', given, fix);
}

function readRuleExpression(checks: OptionChecks, given: unknown, option: string): Expression {
  return readExpression(checks, checks.string(given, option, RULES_FIX), option);
}

function readBackend(checks: OptionChecks, given: unknown, option: string): RuleBackend {
  if (typeof (given as RuleBackend | null)?.resolve === 'function') return given as RuleBackend;
  return checks.refuseUnquoted(
    option,
    'a backend with several targets',
    'Give mcpBackend({ targets }), or leave it out.',
  );
}

/** A rule about targets would never match, and a `deny` among them would never deny. */
function refuseTargets(checks: OptionChecks, rules: readonly AuthorizationRule[]): void {
  for (const { expression, at } of rules) {
    const named = [...expression.reads].find((path) => path.endsWith('.target'));
    if (named === undefined) continue;
    const fix = 'Give backend: mcpBackend({ targets }), which knows the targets.';
    checks.refuse(at, `an expression without ${named}, since there is no backend`, expression.text, fix);
  }
}

/** A misspelt target would never match either. */
function requireTargets(checks: OptionChecks, rules: readonly AuthorizationRule[], known: readonly string[]): void {
  for (const { expression, at } of rules) {
    for (const [target, position] of expression.targets) {
      if (known.includes(target)) continue;
      const meant = nearestName(target, known) ?? known.join(', ');
      const reason = `${JSON.stringify(target)} is not a target; write ${meant}`;
      checks.refuse(at, 'a CEL expression', expression.text, `${placeIn(expression.text, position)}: ${reason}.`);
    }
  }
}
