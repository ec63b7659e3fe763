import { BACKSLASH, CLOSE, COLON, COMMA, OPEN, QUOTE } from './json-bytes.js';
import { skipSpace } from './json-scan.js';
import { skipValue } from './json-skip.js';

/** One object: the members to find in it. */
interface Level {
  readonly names: readonly Buffer[];
  /** The number of each member among all of the finder. */
  readonly numbers: readonly number[];
  /** For each member, the members to find in its value; undefined if there are none. */
  readonly inner: readonly (Level | undefined)[];
}

/**
 * Finds chosen members of a JSON object, and of the objects in it, in one pass over the bytes. That takes a fraction of the time that parsing
 * takes. Everything else is skipped without being checked, so it may be invalid JSON.
 *
 * @example
 * ```ts
 * const finder = new MemberFinder(['id', 'params.name']);
 * const name = finder.numberOf('params.name');
 * if (finder.find(bytes) && finder.has(name)) console.log(finder.textOf(name)); // "echo", with its quotes
 * finder.release();
 * ```
 */
export class MemberFinder {
  /** The position of the object that was found. */
  start = 0;
  end = 0;
  readonly #paths: readonly string[];
  readonly #root: Level;
  /** For each member, the start and the end of its value; 0 and 0 if there is none. */
  readonly #positions: Int32Array;
  #bytes: Buffer = EMPTY;

  /** @param paths The members, as `name` or `name.name`. */
  constructor(paths: readonly string[]) {
    this.#paths = paths;
    this.#positions = new Int32Array(2 * paths.length);
    this.#root = levelOf(paths, '');
  }

  /** Returns the number by which the other methods know a member. */
  numberOf(path: string): number {
    return this.#paths.indexOf(path);
  }

  /**
   * Reads the object that is all of `bytes`. What is found is valid until the next call. Call {@link release} when it is read.
   *
   * @returns False if the bytes must be parsed: they are not an object, or it has a chosen member twice, or a name with an escape.
   */
  find(bytes: Buffer): boolean {
    this.#bytes = bytes;
    this.#positions.fill(0);
    this.start = skipSpace(bytes, 0);
    this.end = this.#read(this.start, this.#root);
    const isFound = this.end > 0 && skipSpace(bytes, this.end) === bytes.length;
    if (!isFound) this.release();
    return isFound;
  }

  /** Drops the reference to the message. A finder lives as long as the process, and a message may contain secrets. */
  release(): void {
    this.#bytes = EMPTY;
  }

  has(number: number): boolean {
    return this.#positions[2 * number + 1] !== 0;
  }

  /** Returns the length of the value in bytes; 0 if there is none. */
  lengthOf(number: number): number {
    return (this.#positions[2 * number + 1] as number) - (this.#positions[2 * number] as number);
  }

  /** True if the value is written as `text`. */
  isWritten(number: number, text: Buffer): boolean {
    const positions = this.#positions;
    return isAt(this.#bytes, positions[2 * number] as number, positions[2 * number + 1] as number, text);
  }

  /** Returns the value as it was written; empty if there is none. */
  textOf(number: number): string {
    const bytes = this.#bytes;
    const start = this.#positions[2 * number] as number;
    const end = this.#positions[2 * number + 1] as number;
    for (let at = start; at < end; at++) if ((bytes[at] as number) > 0x7f) return bytes.toString('utf8', start, end);
    return bytes.toString('latin1', start, end);
  }

  /** Returns the end of the object at `start`; -1 if it must be parsed. */
  #read(start: number, level: Level): number {
    const bytes = this.#bytes;
    if (bytes[start] !== OPEN) return -1;
    let at = skipSpace(bytes, start + 1);
    if (bytes[at] === CLOSE) return at + 1;
    for (;;) {
      const nameEnd = endOfPlainName(bytes, at);
      const colon = skipSpace(bytes, nameEnd);
      if (nameEnd < 0 || bytes[colon] !== COLON) return -1;
      const end = this.#readValue(skipSpace(bytes, colon + 1), level, indexOf(level.names, bytes, at + 1, nameEnd - 1));
      if (end < 0) return -1;
      at = skipSpace(bytes, end);
      if (bytes[at] === CLOSE) return at + 1;
      if (bytes[at] !== COMMA) return -1;
      at = skipSpace(bytes, at + 1);
    }
  }

  #readValue(start: number, { numbers, inner }: Level, index: number): number {
    if (index < 0) return skipValue(this.#bytes, start);
    const within = inner[index];
    const end =
      within !== undefined && this.#bytes[start] === OPEN ? this.#read(start, within) : skipValue(this.#bytes, start);
    const position = 2 * (numbers[index] as number);
    if (end < 0 || this.#positions[position + 1] !== 0) return -1;
    this.#positions[position] = start;
    this.#positions[position + 1] = end;
    return end;
  }
}

const EMPTY = Buffer.alloc(0);

function levelOf(paths: readonly string[], prefix: string): Level {
  const own = paths.filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes('.'));
  const hasInner = (path: string) => paths.some((other) => other.startsWith(`${path}.`));
  return {
    names: own.map((path) => Buffer.from(path.slice(prefix.length))),
    numbers: own.map((path) => paths.indexOf(path)),
    inner: own.map((path) => (hasInner(path) ? levelOf(paths, `${path}.`) : undefined)),
  };
}

/** Returns the end of the name that starts at `start`; -1 if there is no name here, or it contains an escape. */
function endOfPlainName(bytes: Buffer, start: number): number {
  if (bytes[start] !== QUOTE) return -1;
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) return -1;
  }
  return -1;
}

/** Returns the index of the name that stands from `start` to `end`; -1 if it is not one of them. */
function indexOf(names: readonly Buffer[], bytes: Buffer, start: number, end: number): number {
  for (let i = 0; i < names.length; i++) if (isAt(bytes, start, end, names[i] as Buffer)) return i;
  return -1;
}

function isAt(bytes: Buffer, start: number, end: number, name: Buffer): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false;
  return true;
}
