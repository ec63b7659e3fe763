import { BACKSLASH, CLOSE, CLOSE_LIST, COMMA, OPEN, OPEN_LIST, QUOTE, SPACE } from './json-bytes.js';

/**
 * Returns the end of the value that starts at `start`; -1 if it has none. It does not check that the value is JSON: `endOfValue()` of
 * json-scan.ts does, and takes longer.
 */
export function skipValue(bytes: Buffer, start: number): number {
  const first = bytes[start];
  if (first === QUOTE) return skipString(bytes, start);
  return first === OPEN || first === OPEN_LIST ? skipNested(bytes, start) : skipScalar(bytes, start);
}

function skipNested(bytes: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < bytes.length; ) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = skipString(bytes, at);
      if (at < 0) return -1;
      continue;
    }
    at++;
    if (byte === OPEN || byte === OPEN_LIST) depth++;
    else if ((byte === CLOSE || byte === CLOSE_LIST) && --depth === 0) return at;
  }
  return -1;
}

function skipScalar(bytes: Buffer, start: number): number {
  let at = start;
  for (; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === COMMA || byte === CLOSE || byte <= SPACE) break;
  }
  return at > start ? at : -1;
}

/** Bytes of a string that are compared one by one before the native search takes over. */
const MAX_COMPARED = 64;

function skipString(bytes: Buffer, start: number): number {
  const { length } = bytes;
  for (let at = start + 1; at < length; ) {
    const limit = Math.min(length, at + MAX_COMPARED);
    while (at < limit && bytes[at] !== QUOTE && bytes[at] !== BACKSLASH) at++;
    if (at === limit) {
      at = bytes.indexOf(QUOTE, at);
      if (at < 0) return -1;
      if (bytes[at - 1] !== BACKSLASH) return at + 1;
      at = startOfEscapes(bytes, at);
    }
    if (bytes[at] === QUOTE) return at + 1;
    at += 2;
  }
  return -1;
}

/** Returns the position of the first of the backslashes that end before `end`. */
function startOfEscapes(bytes: Buffer, end: number): number {
  let at = end;
  while (bytes[at - 1] === BACKSLASH) at--;
  return at;
}
