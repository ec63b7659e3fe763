import { BYTE_ORDER_MARK, withoutByteOrderMark } from '../../messages/byte-order-mark.js';
import { SPACE } from '../../messages/json-bytes.js';
import { LineReader } from '../../messages/line-codec.js';

/** Bytes. A longer id is not sent back: it would have to be kept for each stream. */
const MAX_ID_BYTES = 1_024;

const EMPTY = Buffer.alloc(0);

/** Receives the messages of an event stream of an MCP server. */
export interface EventListener {
  /** The data of one event, without line ends. The bytes may be a view of the received chunk. */
  message(bytes: Buffer): void;
  /** The data of an event over the limit was dropped; `head` and `tail` are its beginning and its end. */
  oversized(head: Buffer, tail: Buffer): void;
}

/** The names of events that are messages. The line reader writes a carriage return at the end as a space. */
const MESSAGE_NAME = /^(?:message)? ?$/;

/**
 * Reads an event stream (HTML, section 9.2) whose events are messages of at most `maxBytes`. Those with another name are skipped. Data that a server breaks into lines is
 * joined with spaces. A carriage return alone does not end a line.
 */
export class EventReader {
  /** The id of the last event; undefined before the first. */
  lastEventId: string | undefined;
  /** The time before a new connection that the server asks for. */
  retryMs: number | undefined;
  readonly #maxBytes: number;
  readonly #listener: EventListener;
  readonly #lines: LineReader;
  #id: string | undefined;
  /** True if the event has a name other than that of messages: its data is not one. */
  #isOther = false;
  /** The data of the event so far, if there is any: of one line a view of the chunk, of several lines a copy with room for more. */
  #data: Buffer | undefined;
  #size = 0;
  /** The last data of an event over the limit. `#data` is then its beginning. */
  #tail: Buffer | undefined;
  /** Only the stream may begin with a byte order mark. */
  #isFirstLine = true;

  constructor(maxBytes: number, listener: EventListener) {
    this.#maxBytes = maxBytes;
    this.#listener = listener;
    // A longer line may still be one whose data is within the limit.
    this.#lines = new LineReader(maxBytes + BYTE_ORDER_MARK.length + 'data: '.length, {
      line: (bytes) => this.#readLine(this.#withoutMark(bytes)),
      empty: () => this.#readLine(this.#withoutMark(EMPTY)),
      oversized: (head, tail) => this.#readLong(this.#withoutMark(head), tail),
    });
  }

  push(chunk: Buffer): void {
    this.#lines.push(chunk);
  }

  #withoutMark(line: Buffer): Buffer {
    if (!this.#isFirstLine) return line;
    this.#isFirstLine = false;
    return withoutByteOrderMark(line);
  }

  #readLine(line: Buffer): void {
    // The line reader writes carriage returns as spaces.
    if (line.length === 0 || (line.length === 1 && line[0] === SPACE)) {
      this.#dispatch();
      return;
    }
    const colon = line.indexOf(':');
    const name = line.toString('latin1', 0, colon < 0 ? line.length : colon);
    const value =
      colon < 0 ? line.subarray(line.length) : line.subarray(line[colon + 1] === SPACE ? colon + 2 : colon + 1);
    if (name === 'data') this.#add(value);
    else if (name === 'event') this.#isOther = !MESSAGE_NAME.test(value.toString('latin1'));
    else if (name === 'id') this.#id = value.length > MAX_ID_BYTES ? '' : value.toString('utf8').replace(/ $/, '');
    else if (name === 'retry' && /^\d{1,9} ?$/.test(value.toString('latin1'))) this.retryMs = Number(value);
  }

  #readLong(head: Buffer, tail: Buffer): void {
    const prefix = /^data: ?/.exec(head.toString('latin1', 0, 6))?.[0];
    if (head.toString('latin1', 0, 6) === 'event:') this.#isOther = true;
    // A name, a comment, or a field without a meaning.
    if (prefix === undefined) return;
    if (this.#data === undefined) this.#data = head.subarray(prefix.length);
    else if (this.#tail === undefined) this.#data = this.#data.subarray(0, this.#size);
    this.#size = this.#maxBytes + 1;
    this.#tail = tail;
  }

  #add(part: Buffer): void {
    const { length } = part;
    if (this.#data === undefined) {
      this.#data = part;
      this.#size = length;
      return;
    }
    const start = this.#size;
    this.#size += length + 1;
    if (this.#size > this.#maxBytes) {
      if (this.#tail === undefined) this.#data = this.#data.subarray(0, start);
      this.#tail = part;
      return;
    }
    // Not a list of lines: a server that sends short lines would fill the memory with objects, and with the chunks that they are views of.
    if (this.#size > this.#data.length) this.#data = enlarged(this.#data.subarray(0, start), this.#size * 2);
    this.#data[start] = SPACE;
    part.copy(this.#data, start + 1);
  }

  #dispatch(): void {
    const [data, size, tail] = [this.#data, this.#size, this.#tail];
    const isOther = this.#isOther;
    this.#isOther = false;
    this.#data = undefined;
    this.#size = 0;
    this.#tail = undefined;
    this.lastEventId = this.#id ?? this.lastEventId;
    if (data === undefined || size === 0 || isOther) return;
    if (size > this.#maxBytes) this.#listener.oversized(data, tail ?? data);
    else this.#listener.message(data.subarray(0, size));
  }
}

function enlarged(bytes: Buffer, size: number): Buffer {
  const larger = Buffer.allocUnsafe(size);
  bytes.copy(larger);
  return larger;
}
