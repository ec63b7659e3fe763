import type { OptionChecks } from '../options/checks.js';

export const MIN_SECRET_LENGTH = 32;

export const SECRET_FIX = 'Print one with: openssl rand -base64 32';

/** Reads one secret, or a list: the first one signs or encrypts, all verify or decrypt. Returns an empty list if the option is absent. */
export function resolveSecrets(checks: OptionChecks, given: unknown, option: string): readonly string[] {
  if (given === undefined) return Object.freeze([]);
  const requireSecret = (secret: unknown) => checks.secret(secret, option, MIN_SECRET_LENGTH, SECRET_FIX);
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (list.length === 0) requireSecret(undefined);
  return Object.freeze(list.map(requireSecret));
}
