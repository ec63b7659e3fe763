import { CLOSE, CLOSE_LIST, COMMA, OPEN, OPEN_LIST } from './json-bytes.js';
import { endOfString, endOfValue, skipSpace, startOfMemberValue } from './json-scan.js';

/** The position of one member of a JSON object in the bytes of a message. `start` to `end` is its value, quotes included. */
export interface JsonMember {
  readonly name: string;
  readonly keyStart: number;
  readonly start: number;
  readonly end: number;
}

/** One object of a message: the positions of its braces, and its members in their original order. */
export interface JsonMembers {
  readonly start: number;
  readonly end: number;
  readonly list: readonly JsonMember[];
}

/** Replaces the bytes from `start` to `end` with `text`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Reads the members of the object that starts at `at`, one level deep. A message can then be routed, or one of its values
 * replaced, while every other byte stays unchanged. Undefined if there is no object, or if anything in it is not JSON. It does
 * not check what follows the object.
 *
 * @param max Reading stops after this number, and the end is then that of the last member.
 */
export function readMembers(bytes: Buffer, at = 0, max = Number.POSITIVE_INFINITY): JsonMembers | undefined {
  return readList(bytes, at, OPEN, CLOSE, readMember, max);
}

/** Reads the members at the beginning of an object whose end is missing, up to the first that is not complete. */
export function readFirstMembers(bytes: Buffer): readonly JsonMember[] {
  const list: JsonMember[] = [];
  let at = skipSpace(bytes, 0);
  while (bytes[at] === (list.length === 0 ? OPEN : COMMA)) {
    const member = readMember(bytes, skipSpace(bytes, at + 1));
    // A number at the end may continue in the bytes that are missing.
    if (member === undefined || member.end === bytes.length) break;
    list.push(member);
    at = skipSpace(bytes, member.end);
  }
  return list;
}

/**
 * Reads the elements of the array at `at`, each as its start and end. Undefined if it is not an array.
 *
 * @param max Reading stops after this number: tiny elements take many times the memory of their bytes.
 */
export function readElements(
  bytes: Buffer,
  at = 0,
  max = Number.POSITIVE_INFINITY,
): readonly { start: number; end: number }[] | undefined {
  return readList(bytes, at, OPEN_LIST, CLOSE_LIST, readElement, max)?.list;
}

function readList<T extends { readonly end: number }>(
  bytes: Buffer,
  at: number,
  open: number,
  close: number,
  readItem: (bytes: Buffer, start: number) => T | undefined,
  max: number,
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
    if (list.length >= max) return { start, end: item.end, list };
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

function readMember(bytes: Buffer, keyStart: number): JsonMember | undefined {
  const keyEnd = endOfString(bytes, keyStart);
  const start = startOfMemberValue(bytes, keyEnd);
  if (start < 0) return undefined;
  const end = endOfValue(bytes, start);
  if (end < 0) return undefined;
  return { name: readName(bytes, keyStart, keyEnd), keyStart, start, end };
}

export function memberOf(members: JsonMembers | undefined, name: string): JsonMember | undefined {
  return members?.list.find((member) => member.name === name);
}

/** Returns a member's value as it was written. */
export function textOf(bytes: Buffer, member: JsonMember): string {
  return bytes.toString('utf8', member.start, member.end);
}

/** Applies `edits`, which must not overlap, and leaves every other byte unchanged. */
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

function readName(bytes: Buffer, start: number, end: number): string {
  const inner = bytes.toString('utf8', start + 1, end - 1);
  if (!inner.includes('\\')) return inner;
  try {
    // "m\u0065thod" is the name "method", and must compare as equal to it.
    return JSON.parse(`"${inner}"`);
  } catch {
    // A broken escape. The raw text matches no known name.
    return inner;
  }
}
