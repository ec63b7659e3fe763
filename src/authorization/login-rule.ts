import { MissingMember } from '../core/missing-member.js';
import type { OptionChecks } from '../options/checks.js';
import type { CallVariables } from './expressions/call-variables.js';
import { toCelObject } from './expressions/cel-values.js';
import { evaluateTogether, type TextRange } from './expressions/evaluation.js';
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
 * @returns A function that throws {@link MissingMember} for an account that lacks a member, such as `hd`.
 */
export function readLoginRule(
  checks: OptionChecks,
  text: string,
  option: string,
): (profile: Readonly<Record<string, unknown>>) => boolean {
  const expression = readExpression(checks, text, option, 'login');
  return (profile) => {
    let fault: string | undefined;
    let place: TextRange | undefined;
    const variables = { ...NO_CALL, profile: toCelObject(profile) };
    const note = (code: string, range?: TextRange) => {
      fault = code;
      place = range;
    };
    const outcome = evaluateTogether(() => expression.evaluate(variables, note));
    // The text of the expression, and not the key that was looked for: that may be a value of the profile.
    if (fault === 'no_such_key') throw new MissingMember(text.slice(place?.start, place?.end));
    if (fault === 'not_boolean') throw new Error('the value of the expression is neither true nor false');
    if (outcome === 'failed') throw new Error(`the expression failed: ${fault}`);
    return outcome === true;
  };
}
