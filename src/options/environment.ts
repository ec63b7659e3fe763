import { ignoreRejection } from '../core/ignore-rejection.js';
import { isPromiseLike } from '../core/settle-in-time.js';
import { isPlain, type OptionChecks } from './checks.js';

/** Checks environment variables: those given at construction, or those that an `env` function returned. */
export function requireEnvironment(
  checks: OptionChecks,
  value: unknown,
  option: string,
): Readonly<Record<string, string>> {
  // The values may be secrets, so they are not quoted.
  const fix = 'Give names and values: { NAME: "value" }.';
  const variables = isPlain(value) ? value : checks.refuseUnquoted(option, 'a plain object', fix);
  for (const [name, text] of Object.entries(variables)) {
    if (name === '' || /[=\0\r\n]/.test(name)) {
      checks.refuse(option, 'an object whose names have no "=", NUL or line end', name, 'Correct the name.');
    }
    if (typeof text !== 'string' || text.includes('\0')) {
      checks.refuse(`${option}.${name}`, 'a string without NUL', typeof text, 'Convert it to a string.');
    }
  }
  return variables as Record<string, string>;
}

/**
 * Checks the value that a callback of the developer returned. A promise, a `Map` or an instance of a class would silently count as an
 * object without members, so the request fails instead.
 */
export function requirePlainObject(checks: OptionChecks, value: unknown, option: string): Record<string, unknown> {
  if (isPromiseLike(value)) {
    ignoreRejection(value);
    return checks.refuse(option, 'a plain object', 'a promise', 'Make the function synchronous.');
  }
  // The value may be a secret, so only its type is quoted.
  if (!isPlain(value)) return checks.refuse(option, 'a plain object', typeof value, 'Return { name: value }.');
  return value;
}
