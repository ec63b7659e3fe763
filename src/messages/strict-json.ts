import { countMembers } from './json-bounds.js';

/** Thrown for JSON with a duplicate member. `reason` is a key of `MESSAGE_ERRORS`. */
export class DuplicateMemberError extends SyntaxError {
  override readonly name = 'DuplicateMemberError';
  readonly reason = 'ambiguous_message';

  constructor() {
    super('An object has the same member twice');
  }
}

/**
 * Parses JSON within the bounds of {@link countMembers}, and refuses duplicate members. Parsers differ in which one counts, so a
 * check of one could be bypassed with the other (RFC 8259, section 4; RFC 7519, section 4).
 *
 * @throws {SyntaxError} Including `JsonBoundError` and {@link DuplicateMemberError}.
 */
export function parseStrictJson(text: string): unknown {
  const written = countMembers(text);
  const value: unknown = JSON.parse(text);
  if (written !== countParsed(value)) throw new DuplicateMemberError();
  return value;
}

function countParsed(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += countParsed(item);
  } else {
    const object = value as Record<string, unknown>;
    for (const name in object) members += 1 + countParsed(object[name]);
  }
  return members;
}
