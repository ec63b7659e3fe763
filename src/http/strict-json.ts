const STRING_AND_COLON = /"(?:[^"\\]|\\.)*"\s*(:?)/g;

/**
 * Parses JSON and refuses an object that has the same member twice: parsers differ in which one counts, and a check
 * made on one must not be bypassed with the other (RFC 8259, section 4; RFC 7519, section 4).
 *
 * @throws {SyntaxError}
 */
export function parseStrictJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (countWritten(text) !== countHeld(value)) throw new SyntaxError('An object has the same member twice');
  return value;
}

/** In valid JSON, a string before a colon is a member's name and nothing else is. */
function countWritten(text: string): number {
  let members = 0;
  for (const match of text.matchAll(STRING_AND_COLON)) if (match[1] === ':') members += 1;
  return members;
}

function countHeld(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const held = Object.values(value);
  const own = Array.isArray(value) ? 0 : held.length;
  return held.reduce<number>((members, item) => members + countHeld(item), own);
}
