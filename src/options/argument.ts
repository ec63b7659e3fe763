import { isRecord } from '../http/json-object.js';
import type { OptionChecks } from './checks.js';

/**
 * Checks that an argument of a function is a plain object, and returns a copy. It recognises a request: `app.use(mcpAuth)` without
 * the call passes one.
 *
 * @param example The argument in an example, such as `{ issuer: … }`.
 * @throws {ConfigError}
 */
export function requireArgument(
  checks: OptionChecks,
  value: unknown,
  { name = 'options', example }: { readonly name?: string; readonly example: string },
): Record<string, unknown> {
  const middleware = checks.who.replace('()', '');
  const fix = `Write app.use(${middleware}(${example})).`;
  if (isRecord(value) && 'headers' in value && 'url' in value) {
    const expected = `an object, not a request: app.use(${middleware}) does not call ${checks.who}`;
    checks.refuseUnquoted(name, expected, fix);
  }
  // Copies own members only: getters run once, and a modified prototype adds no options.
  return { ...checks.record(value, name, fix) };
}
