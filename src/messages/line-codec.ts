import { SPACE } from './json-bytes.js';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
/** Bytes that are kept of the end of a line over the limit: enough to find the id that it answers. */
const TAIL_BYTES = 4_096;

/** Receives the lines of a {@link LineReader}. */
export interface LineListener {
  /** One line without its end. The bytes are a view of the received chunk: copy them to keep them. */
  line(bytes: Buffer): void;
  /** A line without any bytes. */
  empty?(): void;
  /** A line over the limit was dropped; `head` and `tail` are its beginning and its end. */
  oversized(head: Buffer, tail: Buffer): void;
}

/** Cuts a byte stream into lines of at most `maxBytes`. A longer line is dropped while it arrives, and not collected. */
export class LineReader {
  readonly #maxBytes: number;
  readonly #listener: LineListener;
  #parts: Buffer[] = [];
  #size = 0;

  constructor(maxBytes: number, listener: LineListener) {
    this.#maxBytes = maxBytes;
    this.#listener = listener;
  }

  /** The bytes received since the last line end. */
  get waiting(): number {
    return this.#size;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#add(chunk.subarray(start, end));
      this.#flush();
      start = end + 1;
    }
    if (start < chunk.length) this.#add(chunk.subarray(start));
  }

  /** Ends the stream: a last line without a line end is complete. */
  end(): void {
    if (this.#size > 0) this.#flush();
  }

  #add(part: Buffer): void {
    this.#size += part.length;
    const [first] = this.#parts;
    // The first part is later searched for an id, so it must be long enough, even if the first chunk was short.
    if (this.#parts.length === 1 && first !== undefined && first.length < TAIL_BYTES)
      this.#parts = [Buffer.concat([first, part])];
    else this.#parts.push(part);
    if (this.#size > this.#maxBytes && this.#parts.length > 2) {
      const [head, ...rest] = this.#parts as [Buffer, ...Buffer[]];
      this.#parts = [head, lastOf(rest)];
    }
  }

  #flush(): void {
    const parts = this.#parts;
    const size = this.#size;
    this.#parts = [];
    this.#size = 0;
    if (size === 0) this.#listener.empty?.();
    else if (size > this.#maxBytes) this.#listener.oversized(parts[0] as Buffer, lastOf(parts));
    else this.#listener.line(withoutReturns(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)));
  }
}

function lastOf(parts: readonly Buffer[]): Buffer {
  const joined = Buffer.concat(parts.slice(-2));
  // A copy, since a view would keep the whole line in memory.
  return joined.length > TAIL_BYTES ? Buffer.from(joined.subarray(-TAIL_BYTES)) : joined;
}

/**
 * Encodes a message as one line, with spaces instead of line ends. In valid JSON, a raw line end is white space outside of strings;
 * invalid JSON has been refused before.
 */
export function encodeLine(message: Buffer): Buffer {
  const line = Buffer.allocUnsafe(message.length + 1);
  message.copy(line);
  line[message.length] = NEWLINE;
  for (let at = line.indexOf(NEWLINE); at < message.length; at = line.indexOf(NEWLINE, at + 1)) line[at] = SPACE;
  return withoutReturns(line);
}

// A carriage return ends a line of an event stream: left in place, a child could use it to forge events.
function withoutReturns(line: Buffer): Buffer {
  for (let at = line.indexOf(RETURN); at >= 0; at = line.indexOf(RETURN, at + 1)) line[at] = SPACE;
  return line;
}
