/** Where one member of a JSON object stands in the bytes it came in. `start` to `end` is its value, quotes included. */
export interface Member {
  readonly name: string;
  readonly keyStart: number;
  readonly start: number;
  readonly end: number;
}

/** One object of a message: its braces and its members, in the order they came. */
export interface Members {
  readonly start: number;
  readonly end: number;
  readonly list: readonly Member[];
}

/** Replaces `start` to `end` of some bytes. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/**
 * Reads the members of the object that starts at `at`, one level deep, so that a message can be routed, or one value of it
 * replaced, while every other byte stays as it came. Undefined where there is no object or it is cut short. It does not
 * check the values' own syntax.
 */
export function readMembers(bytes: Buffer, at = 0): Members | undefined {
  return readList(bytes, at, OPEN, CLOSE, readMember);
}

/** The elements of the array at `at`, each as its first and its last byte; undefined where it is no array. */
export function readElements(bytes: Buffer, at = 0): readonly { start: number; end: number }[] | undefined {
  return readList(bytes, at, OPEN_LIST, CLOSE_LIST, readElement)?.list;
}

function readList<T extends { readonly end: number }>(
  bytes: Buffer,
  at: number,
  open: number,
  close: number,
  readItem: (bytes: Buffer, start: number) => T | undefined,
): { start: number; end: number; list: T[] } | undefined {
  const start = skipSpace(bytes, at);
  if (bytes[start] !== open) return undefined;
  const list: T[] = [];
  let position = skipSpace(bytes, start + 1);
  if (bytes[position] === close) return { start, end: position + 1, list };
  for (;;) {
    const item = readItem(bytes, position);
    if (item === undefined) return undefined;
    list.push(item);
    position = skipSpace(bytes, item.end);
    if (bytes[position] === close) return { start, end: position + 1, list };
    if (bytes[position] !== COMMA) return undefined;
    position = skipSpace(bytes, position + 1);
  }
}

function readElement(bytes: Buffer, start: number): { start: number; end: number } | undefined {
  const end = endOfValue(bytes, start);
  return end < 0 ? undefined : { start, end };
}

function readMember(bytes: Buffer, keyStart: number): Member | undefined {
  if (bytes[keyStart] !== QUOTE) return undefined;
  const keyEnd = endOfString(bytes, keyStart);
  const colon = skipSpace(bytes, keyEnd);
  if (bytes[colon] !== COLON) return undefined;
  const start = skipSpace(bytes, colon + 1);
  const end = endOfValue(bytes, start);
  if (end < 0) return undefined;
  return { name: readKey(bytes, keyStart, keyEnd), keyStart, start, end };
}

export function memberOf(members: Members | undefined, name: string): Member | undefined {
  return members?.list.find((member) => member.name === name);
}

/** The member's value as it was written. */
export function textOf(bytes: Buffer, member: Member): string {
  return bytes.toString('utf8', member.start, member.end);
}

/** Applies `edits`, which do not overlap, and leaves every other byte alone. */
export function applyEdits(bytes: Buffer, edits: readonly Edit[]): Buffer {
  if (edits.length === 0) return bytes;
  const pieces: Buffer[] = [];
  let position = 0;
  for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
    pieces.push(bytes.subarray(position, edit.start), Buffer.from(edit.text));
    position = edit.end;
  }
  pieces.push(bytes.subarray(position));
  return Buffer.concat(pieces);
}

function readKey(bytes: Buffer, start: number, end: number): string {
  const inner = bytes.toString('utf8', start + 1, end - 1);
  if (!inner.includes('\\')) return inner;
  try {
    // An escaped key is the same key: "m\u0065thod" must not slip past a comparison with "method".
    return JSON.parse(`"${inner}"`);
  } catch {
    // A broken escape: the text itself serves as a name that nobody looks for.
    return inner;
  }
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  for (let byte = bytes[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = bytes[at]) at++;
  return at;
}

// The longest run that is walked byte by byte before the native search takes over.
const SHORT = 48;

function endOfString(bytes: Buffer, open: number): number {
  let at = open + 1;
  // Searched for anew only when it was passed: at every escape, it would cost the square of the text's length.
  let quote = -1;
  for (;;) {
    const limit = Math.min(bytes.length, at + SHORT);
    while (at < limit && bytes[at] !== QUOTE && bytes[at] !== BACKSLASH) at++;
    if (at >= limit) {
      if (at >= bytes.length) return bytes.length;
      if (quote < at) quote = bytes.indexOf(QUOTE, at);
      if (quote < 0) return bytes.length;
      const backslash = bytes.subarray(at, quote).indexOf(BACKSLASH);
      at = backslash < 0 ? quote : at + backslash;
    }
    if (bytes[at] === QUOTE) return at + 1;
    at += 2;
  }
}

function endOfValue(bytes: Buffer, start: number): number {
  const first = bytes[start];
  if (first === QUOTE) return endOfString(bytes, start);
  if (first === OPEN || first === OPEN_LIST) return endOfNested(bytes, start);
  let at = start;
  while (at < bytes.length && isScalar(bytes[at] as number)) at++;
  return at === start ? -1 : at;
}

function isScalar(byte: number): boolean {
  return byte !== COMMA && byte !== CLOSE && byte !== CLOSE_LIST && byte > 0x20;
}

function endOfNested(bytes: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfString(bytes, at) - 1;
    else if (byte === OPEN || byte === OPEN_LIST) depth++;
    else if (byte === CLOSE || byte === CLOSE_LIST) {
      depth--;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}
