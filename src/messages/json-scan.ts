import { BACKSLASH, CLOSE, COLON, COMMA, OPEN, OPEN_LIST, QUOTE, SPACE } from './json-bytes.js';

const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const LITERALS = ['true', 'false', 'null'].map((word) => Buffer.from(word));
/** 1 for each byte that forms a complete escape after a backslash. */
const ESCAPED = Uint8Array.from({ length: 256 }, (_, byte) =>
  '"\\/bfnrt'.includes(String.fromCharCode(byte)) ? 1 : 0,
);
const HEX_ESCAPE = 0x75;
/** Levels of nesting: far more than a message needs, and little memory for one that only opens brackets. */
const MAX_LEVELS = 100_000;

/** Returns the first position at or after `from` that is not JSON white space. */
export function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  for (let byte = bytes[at]; byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = bytes[at]) at++;
  return at;
}

/** Returns the end of the JSON value (RFC 8259) that starts at `start`; -1 if there is none. Does not check that it is UTF-8. */
export function endOfValue(bytes: Buffer, start: number): number {
  const first = bytes[start];
  return first === OPEN || first === OPEN_LIST ? endOfNested(bytes, start) : endOfScalar(bytes, start);
}

/** Returns the start of the value of the member whose name ends at `nameEnd`; -1 if no colon follows the name. */
export function startOfMemberValue(bytes: Buffer, nameEnd: number): number {
  if (nameEnd < 0) return -1;
  const colon = skipSpace(bytes, nameEnd);
  return bytes[colon] === COLON ? skipSpace(bytes, colon + 1) : -1;
}

// No recursion: deep nesting would overflow the stack.
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
    // A value has ended at `at`. The values around it may end here too.
    at = startOfNext(bytes, at, closers);
  } while (at >= 0 && closers.length > 0);
  return at;
}

/** Closes the brackets that end at `ended`. Returns the start of the next value; the end if no bracket is open; -1 if it is not JSON. */
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

/** Bytes that are scanned one by one before the native search takes over. */
const MAX_SCANNED_BYTES = 48;
/** 1 for each byte that stands for itself in a string. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < SPACE || byte === QUOTE || byte === BACKSLASH ? 0 : 1,
);

/** Returns the end of the string that starts at `start`; -1 if it has none, or contains a character that JSON must escape. */
export function endOfString(bytes: Buffer, start: number): number {
  if (bytes[start] !== QUOTE) return -1;
  let at = start + 1;
  // Searched for again only once the scan is past it: a search at every escape would take quadratic time.
  let quote = -1;
  for (;;) {
    const limit = Math.min(bytes.length, at + MAX_SCANNED_BYTES);
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

// A byte below the space makes a difference negative. Four bytes at a time, since long texts take longer one byte at a time.
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
