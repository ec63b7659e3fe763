import type { OptionChecks } from '../options/checks.js';
import type { CallVariables } from './expressions/call-variables.js';
import { toCelObject } from './expressions/cel-values.js';
import { evaluateTogether } from './expressions/evaluation.js';
import { readExpression } from './read-expression.js';

const NO_CALL: CallVariables = Object.freeze({
  jwt: undefined,
  apiKey: undefined,
  request: {} as CallVariables['request'],
  source: { address: undefined, port: undefined },
  mcp: {},
});

/**
 * Compiles an expression on `profile`, which a configuration file has in place of the function `allow`.
 *
 * @throws {ConfigError} If it is not a CEL expression, or reads another variable.
 */
export function readLoginRule(
  checks: OptionChecks,
  text: string,
  option: string,
): (profile: Readonly<Record<string, unknown>>) => boolean {
  const expression = readExpression(checks, text, option, 'login');
  return (profile) => {
    let fault: string | undefined;
    const variables = { ...NO_CALL, profile: toCelObject(profile) };
    const note = (code: string) => {
      fault = code;
    };
    const outcome = evaluateTogether(() => expression.evaluate(variables, note));
    // An account that lacks a member, such as `hd`, is not allowed. That is no failure.
    if (fault === 'not_boolean') throw new Error('the value of the expression is neither true nor false');
    if (outcome === 'failed' && fault !== 'no_such_key') throw new Error(`the expression failed: ${fault}`);
    return outcome === true;
  };
}
