import { isRecord } from '../../http/json-object.js';
import { memberOf, textOf } from '../../messages/json-members.js';
import { parseStrictJson } from '../../messages/strict-json.js';
import type { Outcome } from './request-ids.js';

/** Parses the result of a response. Undefined if there is none, or if parsers could read it differently. */
export function resultOf(outcome: Outcome): Readonly<Record<string, unknown>> | undefined {
  return memberValue(outcome, 'result');
}

/** Parses the error of a response. */
export function errorOf(outcome: Outcome): Readonly<Record<string, unknown>> | undefined {
  return memberValue(outcome, 'error');
}

function memberValue(outcome: Outcome, name: string): Readonly<Record<string, unknown>> | undefined {
  if (typeof outcome === 'string') return undefined;
  const member = memberOf(outcome.members, name);
  try {
    const value = member && parseStrictJson(textOf(outcome.bytes, member));
    return isRecord(value) ? value : undefined;
  } catch {
    // Two members of one name, or too many levels.
    return undefined;
  }
}
