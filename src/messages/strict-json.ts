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

const QUOTE = '"';
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const SPACE = 0x20;

/** In valid JSON, a string before a colon is a member's name and nothing else is. Walked by hand: bodies come this way. */
function countWritten(text: string): number {
  let members = 0;
  for (let open = text.indexOf(QUOTE); open !== -1; ) {
    let next = endOfString(text, open) + 1;
    while (text.charCodeAt(next) <= SPACE) next += 1;
    if (text.charCodeAt(next) === COLON) members += 1;
    open = text.indexOf(QUOTE, next);
  }
  return members;
}

/** Where the string that opens at `open` closes: at the first quote that an even number of backslashes precedes. */
function endOfString(text: string, open: number): number {
  for (let close = text.indexOf(QUOTE, open + 1); ; close = text.indexOf(QUOTE, close + 1)) {
    let first = close;
    while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
    if ((close - first) % 2 === 0) return close;
  }
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
