import { isRecord } from '../http/json-object.js';
import type { OptionChecks } from './checks.js';

/**
 * Checks the argument of a function that creates a middleware. It is a request if the user wrote `app.use(mcpAuth)`.
 *
 * @param example A valid argument for the advice, for example `{ issuer: … }`.
 */
export function requireArgument(
  checks: OptionChecks,
  value: unknown,
  { name = 'options', example }: { readonly name?: string; readonly example: string },
): Record<string, unknown> {
  const middleware = checks.who.replace('()', '');
  const fix = `Write app.use(${middleware}(${example})).`;
  if (isRecord(value) && 'headers' in value && typeof value.url === 'string' && value.url.startsWith('/')) {
    const expected = `an object, not a request: app.use(${middleware}) was written without the call`;
    checks.refuseUnquoted(name, expected, fix);
  }
  // A copy of its own members: each is read once, and none is inherited from a polluted prototype.
  return { ...checks.record(value, name, fix) };
}
