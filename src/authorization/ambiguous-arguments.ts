import { isRecord } from '../http/json-object.js';
import { foldName, isReadDifferently } from '../messages/known-names.js';
import type { AuthorizationRule } from './authorization-rules.js';

/** Returns true for arguments with a name that a rule and the server may read differently. */
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
  const isAmbiguous = remember((name) => isReadDifferently(name) || known.get(foldName(name))?.has(name) === false);
  return function check(value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false;
    if (Array.isArray(value)) return value.some(check);
    if (!isRecord(value)) return false;
    for (const name in value) if (isAmbiguous(name) || check(value[name])) return true;
    return false;
  };
}

/** Names whose answers are remembered: most calls have the names of the tools' arguments. */
const MAX_NAMES = 1_000;
const MAX_NAME_LENGTH = 64;

function remember(check: (name: string) => boolean): (name: string) => boolean {
  const answers = new Map<string, boolean>();
  return (name) => {
    const known = answers.get(name);
    if (known !== undefined) return known;
    const answer = check(name);
    if (answers.size < MAX_NAMES && name.length <= MAX_NAME_LENGTH) answers.set(name, answer);
    return answer;
  };
}
