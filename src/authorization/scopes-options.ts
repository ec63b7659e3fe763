import type { AuthInfo } from '../core/auth-info.js';
import type { Logger } from '../core/logger.js';
import { isTargeted, type McpCall, type TargetedMethod } from '../messages/mcp-call.js';
import { requireArgument } from '../options/argument.js';
import { createChecks, isPlain, type OptionChecks, regExpIn } from '../options/checks.js';
import { resolveLogger } from '../options/logger-option.js';
import {
  flag,
  type OptionTable,
  type ResolvedOptions,
  readOptions,
  wholeNumber,
  word,
} from '../options/option-table.js';
import { requireScopes } from '../options/scope-list.js';
import { recordOf, TEXTS } from '../options/value-type.js';
import type { CallOptions } from '../telemetry/call-record.js';
import { CALL_ROWS } from '../telemetry/call-rows.js';
import { patternWarnings } from './pattern-warnings.js';
import { isMethodName, patternFault, suggestMethod } from './rule-names.js';

/**
 * Decides on one call: returns the scopes that it needs, or `true` or `false`. `auth` is undefined for an anonymous caller.
 * It must be synchronous. The call is denied if it throws or returns anything else, such as an empty list or a promise.
 */
export type ScopeFunction = (auth: AuthInfo | undefined, call: McpCall) => readonly string[] | boolean;

/**
 * The scopes that a call needs, all of them; a function that returns them; `false` to deny calls that no narrower rule matches; or
 * `true` to allow such calls.
 */
export type ScopeRule = readonly string[] | ScopeFunction | boolean;

/**
 * Rules by method. A method that names a tool, a prompt or a resource may have rules by that name, in which `*` stands for any
 * text. All rules that match a call apply together, with one exception: a narrower rule overrides `false`. A call that no rule matches is
 * allowed.
 */
export type ScopeRules = { readonly [M in TargetedMethod]?: ScopeRule | Readonly<Record<string, ScopeRule>> } & {
  readonly [method: string]: ScopeRule | Readonly<Record<string, ScopeRule>> | undefined;
};

/** The options of `mcpScopes()`. */
export interface McpScopesOptions extends CallOptions {
  /** Scopes that include other scopes, directly or through a third. `requiredScopes` of `mcpAuth()` does not know them. @default {} */
  readonly implies?: Readonly<Record<string, readonly string[]>> | undefined;
  /**
   * Removes tools, prompts and resources that the caller may not use from list answers, both JSON and event streams. Replaces an
   * answer that it cannot read with a JSON-RPC error: status 502, or the answer's own status if that is 400 or more. Within an
   * event stream, the error replaces the event.
   *
   * @default false
   */
  readonly hide?: boolean | undefined;
  /**
   * `challenge`: 403, with which a client can go for more scopes. `jsonRpcError`: 200 with a JSON-RPC error, for clients that
   * cannot. A caller without a token is answered 401 either way.
   *
   * @default 'challenge'
   */
  readonly onInsufficientScope?: 'challenge' | 'jsonRpcError' | undefined;
  /** Bytes. A longer body is answered 413. @default 4194304 */
  readonly maxBodyBytes?: number | undefined;
  /** Receives a line for each refusal at `debug` and one of each kind a minute at `info`, for functions that throw, and for answers that `hide` cannot read. @default no logging */
  readonly logger?: Logger | undefined;
}

/** A checked rule for one method, or for one name pattern of it. */
export interface ResolvedRule {
  readonly method: string;
  /** Undefined: the rule applies to every call of the method. */
  readonly pattern: string | undefined;
  readonly rule: ScopeRule;
}

export const SCOPES_TABLE = {
  implies: { default: {}, type: recordOf(TEXTS), read: resolveImplies },
  hide: flag(false),
  onInsufficientScope: word(['challenge', 'jsonRpcError'], 'challenge', 'Leave it out for a 403.'),
  maxBodyBytes: wholeNumber(4_194_304, 1),
  logger: { read: resolveLogger },
  ...CALL_ROWS,
} satisfies OptionTable<McpScopesOptions>;

const SCOPES_OPTIONS = Object.keys(SCOPES_TABLE);

export interface ResolvedScopes extends ResolvedOptions<typeof SCOPES_TABLE> {
  readonly rules: readonly ResolvedRule[];
}

/** @throws {ConfigError} */
export function resolveScopesOptions(givenRules: unknown, options: unknown): ResolvedScopes {
  const checks = createChecks('mcpScopes()');
  // Rules first: in `app.use(mcpScopes)` they are the request, and the options are the response.
  const rules = resolveRules(checks, givenRules);
  const given = requireArgument(checks, options, { example: 'rules, { hide: true }' });
  const resolved = readOptions(checks, SCOPES_TABLE, given);
  for (const line of patternWarnings(rules)) resolved.logger.warn(`mcpScopes(): ${line}`);
  return Object.freeze({ rules, ...resolved });
}

const RULES_EXAMPLE = "{ 'tools/call': { 'delete_*': ['files:write'] } }";
const RULES_FIX = `Write ${RULES_EXAMPLE}.`;
const PATTERN_FIX = `Names are patterns, in which "*" stands for any text: ${RULES_EXAMPLE}.`;

function resolveRules(checks: OptionChecks, given: unknown): readonly ResolvedRule[] {
  const methods = requireArgument(checks, given, { name: 'rules', example: RULES_EXAMPLE });
  const rules = Object.entries(methods).flatMap(([method, value]) => {
    requireMethod(checks, method);
    return isPlain(value) ? rulesByTarget(checks, method, value) : [ruleFor(checks, method, undefined, value)];
  });
  return rules.length > 0 ? Object.freeze(rules) : checks.refuse('rules', 'at least one rule', given, RULES_FIX);
}

function rulesByTarget(checks: OptionChecks, method: string, targets: Record<string, unknown>): ResolvedRule[] {
  const option = `rules[${JSON.stringify(method)}]`;
  if (!isTargeted(method)) {
    const expected = 'scopes or a function, since its calls name no tool, prompt or resource';
    checks.refuse(option, expected, targets, 'Write the scopes or the function in place of the object.');
  }
  const rules = Object.entries(targets).map(([pattern, value]) => ruleFor(checks, method, pattern, value));
  return rules.length > 0 ? rules : checks.refuse(option, 'at least one rule', targets, RULES_FIX);
}

function ruleFor(checks: OptionChecks, method: string, pattern: string | undefined, value: unknown): ResolvedRule {
  const option = [method, ...(pattern === undefined ? [] : [pattern])].reduce(
    (path, key) => `${path}[${JSON.stringify(key)}]`,
    'rules',
  );
  const fault = pattern === undefined ? undefined : patternFault(method, pattern);
  if (fault !== undefined) checks.refuse(option, fault.expected, pattern, fault.fix);
  if (typeof value === 'function') return { method, pattern, rule: value as ScopeFunction };
  if (typeof value === 'boolean') return { method, pattern, rule: value };
  const fix = 'List the scopes that a call needs, or give true, false or a function.';
  const regExp = regExpIn(value);
  if (regExp !== undefined) {
    checks.refuse(option, 'scopes or a function, not a regular expression', String(regExp), PATTERN_FIX);
  }
  const scopes = requireScopes(checks, value, option, fix);
  // Some read an empty list as "no caller", others as "every caller".
  if (scopes.length === 0) checks.refuse(option, 'a non-empty array of scopes', value, fix);
  return { method, pattern, rule: scopes };
}

/** A misspelt name must not count as a custom method: its rule would never apply. */
function requireMethod(checks: OptionChecks, method: string): void {
  if (isMethodName(method)) return;
  checks.refuse('rules', 'keyed by MCP method', method, suggestMethod(method, SCOPES_OPTIONS, 'code'));
}

function resolveImplies(checks: OptionChecks, given: unknown, path: string): ReadonlyMap<string, readonly string[]> {
  const fix = "Write { 'files:admin': ['files:read', 'files:write'] }.";
  const entries = Object.entries(checks.record(given, path, fix));
  return new Map(
    entries.map(([scope, implied]) => {
      const option = `${path}[${JSON.stringify(scope)}]`;
      requireScopes(checks, [scope], option, fix);
      return [scope, requireScopes(checks, implied, option, fix)];
    }),
  );
}
