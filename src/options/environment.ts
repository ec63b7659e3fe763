import type { OptionChecks } from './checks.js';

/** Checks variables at construction, or those that an `env` function returned. */
export function requireEnvironment(
  checks: OptionChecks,
  value: unknown,
  option: string,
): Readonly<Record<string, string>> {
  const variables = checks.record(value, option, 'Give names and values: { NAME: "value" }.');
  for (const [name, text] of Object.entries(variables)) {
    if (name === '' || /[=\0\r\n]/.test(name)) {
      checks.refuse(option, 'names without "=", NUL and line ends', name, 'Correct the name.');
    }
    if (typeof text !== 'string' || text.includes('\0')) {
      // The value may be a secret, so it is not quoted.
      checks.refuse(`${option}.${name}`, 'a string without NUL', typeof text, 'Convert it to a string.');
    }
  }
  return variables as Record<string, string>;
}
