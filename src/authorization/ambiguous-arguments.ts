import { isRecord } from '../http/json-object.js';
import { foldName, isReadDifferently } from '../messages/known-names.js';
import type { AuthorizationRule } from './rule-set.js';

/** True for arguments with a name that a rule and the server may read differently. */
export type AmbiguityCheck = (value: unknown) => boolean;

/**
 * Creates the check for arguments. Some servers read `Path` as `path`: a rule about `path` would not see what such a server uses. So a name
 * that differs from one in a rule in capitals only is ambiguous.
 */
export function createAmbiguityCheck(rules: readonly AuthorizationRule[]): AmbiguityCheck {
  const known = new Map<string, Set<string>>();
  for (const name of rules.flatMap(({ expression }) => [...expression.members])) {
    const fold = foldName(name);
    known.set(fold, (known.get(fold) ?? new Set()).add(name));
  }
  const isAmbiguous = (name: string) => isReadDifferently(name) || known.get(foldName(name))?.has(name) === false;
  return function check(value: unknown): boolean {
    if (Array.isArray(value)) return value.some(check);
    return isRecord(value) && Object.entries(value).some(([name, member]) => isAmbiguous(name) || check(member));
  };
}
