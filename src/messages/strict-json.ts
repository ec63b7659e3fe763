import { countMembers } from './json-bounds.js';

/**
 * Parses JSON within the bounds of {@link countMembers}, and refuses an object that has the same member twice: parsers differ in
 * which one counts, and a check made on one must not be bypassed with the other (RFC 8259, section 4; RFC 7519, section 4).
 *
 * @throws {SyntaxError}
 */
export function parseStrictJson(text: string): unknown {
  const written = countMembers(text);
  const value: unknown = JSON.parse(text);
  if (written !== countHeld(value)) throw new SyntaxError('An object has the same member twice');
  return value;
}

function countHeld(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += countHeld(item);
  } else {
    const object = value as Record<string, unknown>;
    for (const name in object) members += 1 + countHeld(object[name]);
  }
  return members;
}
