const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const LITERALS = ['true', 'false', 'null'].map((word) => Buffer.from(word));
/** 1 for each byte that may follow a backslash alone. */
const ESCAPED = Uint8Array.from({ length: 256 }, (_, byte) =>
  '"\\/bfnrt'.includes(String.fromCharCode(byte)) ? 1 : 0,
);
const HEX_ESCAPE = 0x75;
/** Deeper than any message, and little memory for one that only opens brackets. */
const MAX_LEVELS = 100_000;

/** The first position from `from` on that is not JSON's white space. */
export function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  for (let byte = bytes[at]; byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = bytes[at]) at++;
  return at;
}

/** The end of the JSON value (RFC 8259) that starts at `start`; -1 if there is none. Does not check that it is UTF-8. */
export function endOfValue(bytes: Buffer, start: number): number {
  const first = bytes[start];
  return first === OPEN || first === OPEN_LIST ? endOfNested(bytes, start) : endOfScalar(bytes, start);
}

/** The start of the value of the member whose name ends at `nameEnd`; -1 if no colon is between them. */
export function startOfMemberValue(bytes: Buffer, nameEnd: number): number {
  if (nameEnd < 0) return -1;
  const colon = skipSpace(bytes, nameEnd);
  return bytes[colon] === COLON ? skipSpace(bytes, colon + 1) : -1;
}

// No recursion: a message may nest deeper than the stack.
function endOfNested(bytes: Buffer, start: number): number {
  const closers: number[] = [];
  let at = start;
  do {
    // A value starts at `at`.
    const byte = bytes[at];
    if (byte === OPEN || byte === OPEN_LIST) {
      const closer = byte + 2;
      at = skipSpace(bytes, at + 1);
      if (bytes[at] === closer) at++;
      else {
        if (closers.push(closer) > MAX_LEVELS) return -1;
        if (closer === CLOSE) at = startOfMemberValue(bytes, endOfString(bytes, at));
        continue;
      }
    } else at = endOfScalar(bytes, at);
    // A value has ended at `at`, and with it perhaps those around it.
    at = startOfNext(bytes, at, closers);
  } while (at >= 0 && closers.length > 0);
  return at;
}

/** Closes what ends at `at`; returns where the next value starts, the end where no bracket is left, or -1. */
function startOfNext(bytes: Buffer, ended: number, closers: number[]): number {
  let at = ended;
  while (at >= 0 && closers.length > 0) {
    const closer = closers[closers.length - 1];
    at = skipSpace(bytes, at);
    if (bytes[at] === closer) {
      closers.pop();
      at++;
    } else {
      if (bytes[at] !== COMMA) return -1;
      at = skipSpace(bytes, at + 1);
      return closer === CLOSE ? startOfMemberValue(bytes, endOfString(bytes, at)) : at;
    }
  }
  return at;
}

function endOfScalar(bytes: Buffer, start: number): number {
  const first = bytes[start];
  if (first === QUOTE) return endOfString(bytes, start);
  if (first === MINUS || isDigit(first)) return endOfNumber(bytes, start);
  const literal = LITERALS.find((word) => word[0] === first);
  if (literal === undefined) return -1;
  const end = start + literal.length;
  return literal.equals(bytes.subarray(start, end)) ? end : -1;
}

function endOfNumber(bytes: Buffer, start: number): number {
  let at = bytes[start] === MINUS ? start + 1 : start;
  const whole = at;
  at = skipDigits(bytes, at);
  if (at === whole || (bytes[whole] === ZERO && at > whole + 1)) return -1;
  if (bytes[at] === 0x2e) {
    const fraction = at + 1;
    at = skipDigits(bytes, fraction);
    if (at === fraction) return -1;
  }
  if (bytes[at] !== 0x45 && bytes[at] !== 0x65) return at;
  const exponent = bytes[at + 1] === 0x2b || bytes[at + 1] === MINUS ? at + 2 : at + 1;
  at = skipDigits(bytes, exponent);
  return at === exponent ? -1 : at;
}

function skipDigits(bytes: Buffer, from: number): number {
  let at = from;
  while (isDigit(bytes[at])) at++;
  return at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

// The longest run that is walked byte by byte before the native search takes over.
const SHORT = 48;
/** 1 for each byte that means itself within a string. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < SPACE || byte === QUOTE || byte === BACKSLASH ? 0 : 1,
);

/** The end of the string that starts at `start`; -1 if there is none, or if it has a character that JSON must escape. */
export function endOfString(bytes: Buffer, start: number): number {
  if (bytes[start] !== QUOTE) return -1;
  let at = start + 1;
  // Searched for again only once it was passed: at every escape, it would cost the square of the text's length.
  let quote = -1;
  for (;;) {
    const limit = Math.min(bytes.length, at + SHORT);
    while (at < limit && PLAIN[bytes[at] as number] === 1) at++;
    if (at === limit) {
      if (quote < at) quote = bytes.indexOf(QUOTE, at);
      if (quote < 0) return -1;
      const run = bytes.subarray(at, quote);
      const backslash = run.indexOf(BACKSLASH);
      if (hasControl(backslash < 0 ? run : run.subarray(0, backslash))) return -1;
      at = backslash < 0 ? quote : at + backslash;
    }
    if (bytes[at] === QUOTE) return at + 1;
    if (bytes[at] !== BACKSLASH) return -1;
    at = endOfEscape(bytes, at);
    if (at < 0) return -1;
  }
}

function endOfEscape(bytes: Buffer, start: number): number {
  const kind = bytes[start + 1];
  if (kind !== HEX_ESCAPE) return ESCAPED[kind as number] === 1 ? start + 2 : -1;
  const end = start + 6;
  return /^[0-9A-Fa-f]{4}$/.test(bytes.toString('latin1', start + 2, end)) ? end : -1;
}

// Four at a time: the sign of a difference shows which byte is below the space; one byte at a time, long texts would take longer.
function hasControl(bytes: Buffer): boolean {
  const { length } = bytes;
  const fours = length - (length % 4);
  let below = 0;
  for (let at = 0; at < fours; at += 4) {
    below |=
      ((bytes[at] as number) - SPACE) |
      ((bytes[at + 1] as number) - SPACE) |
      ((bytes[at + 2] as number) - SPACE) |
      ((bytes[at + 3] as number) - SPACE);
  }
  for (let at = fours; at < length; at++) below |= (bytes[at] as number) - SPACE;
  return below < 0;
}
