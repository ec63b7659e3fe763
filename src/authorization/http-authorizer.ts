import type { IncomingMessage } from 'node:http';
import type { AuthInfo } from '../core/auth-info.js';
import type { Logger } from '../core/logger.js';
import { createChecks } from '../options/checks.js';
import { type AuthorizationRuleOption, readRules } from './authorization-options.js';
import { type AuthorizationRule, createAuthorizationRules } from './authorization-rules.js';
import { evaluateTogether } from './expressions/evaluation.js';
import { sharedVariablesOf } from './request-variables.js';
import { createFailureReport } from './rule-failures.js';

/**
 * Checks rules on HTTP requests.
 *
 * @throws {ConfigError} Also for a rule about what a call names: a request may carry any call, or none.
 */
export function resolveHttpRules(given: readonly AuthorizationRuleOption[]): readonly AuthorizationRule[] {
  const checks = createChecks('authorization');
  const rules = readRules(checks, given, 'rules');
  for (const { expression, at } of rules) {
    const variable = [...expression.reads].find((path) => path.startsWith('mcp'));
    if (variable !== undefined)
      checks.refuse(at, `without ${variable}`, expression.text, 'Move the rule to mcpAuthorization.');
  }
  return rules;
}

/** Creates the decision by rules on HTTP requests, with the variables of the request, the token and the connection. */
export function createHttpAuthorizer(
  rules: readonly AuthorizationRule[],
  logger: Logger,
): (req: IncomingMessage, auth: AuthInfo | undefined) => boolean {
  const authorizationRules = createAuthorizationRules(rules, createFailureReport(logger));
  return (req, auth) => {
    const variables = { ...sharedVariablesOf(req, auth), mcp: {} };
    const input = { variables, scopes: new Set(auth?.scopes), hasLongArguments: false };
    return evaluateTogether(() => authorizationRules.decide(input)).isAllowed;
  };
}
