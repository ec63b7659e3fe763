import type { IncomingMessage } from 'node:http';
import type { AuthInfo } from '../core/auth-info.js';
import type { Logger } from '../core/logger.js';
import { createChecks } from '../options/checks.js';
import { type AuthorizationRuleOption, resolveAuthorizationOptions } from './authorization-options.js';
import { evaluateTogether } from './expressions/evaluation.js';
import { sharedVariablesOf } from './request-variables.js';
import { createFailureReport } from './rule-failures.js';
import { createRuleSet } from './rule-set.js';

/**
 * Creates the decision by rules on HTTP requests, with the variables of the request, the token and the connection.
 *
 * @throws {ConfigError} Also for a rule about what a call names: a request may carry any call, or none.
 */
export function createHttpAuthorizer(
  rules: readonly AuthorizationRuleOption[],
  logger: Logger,
): (req: IncomingMessage, auth: AuthInfo | undefined) => boolean {
  const resolved = resolveAuthorizationOptions({ rules });
  for (const { expression, at } of resolved.rules) {
    const variable = [...expression.reads].find((path) => path.startsWith('mcp'));
    if (variable !== undefined)
      createChecks('authorization').refuse(
        at,
        `without ${variable}`,
        expression.text,
        'Move the rule to mcpAuthorization.',
      );
  }
  const ruleSet = createRuleSet(resolved.rules, createFailureReport(logger));
  return (req, auth) => {
    const variables = { ...sharedVariablesOf(req, auth), mcp: {} };
    const input = { variables, scopes: new Set(auth?.scopes), hasLongArguments: false };
    return evaluateTogether(() => ruleSet.decide(input)).isAllowed;
  };
}
