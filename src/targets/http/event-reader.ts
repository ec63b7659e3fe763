import { LineReader } from '../../messages/line-codec.js';

const SPACE = 0x20;

/** Receives what an event stream of an MCP server carries. */
export interface EventListener {
  /** The data of one event, without line ends. The bytes may be a view of the received chunk. */
  message(bytes: Buffer): void;
  /** The data of an event over the limit was dropped; `head` and `tail` are its beginning and its end. */
  oversized(head: Buffer, tail: Buffer): void;
}

/**
 * Reads an event stream (HTML, section 9.2) whose events are messages of at most `maxBytes`. Data that a server breaks into lines is
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
  #data: Buffer[] = [];
  #size = 0;

  constructor(maxBytes: number, listener: EventListener) {
    this.#maxBytes = maxBytes;
    this.#listener = listener;
    // A longer line may still be one whose data is within the limit.
    this.#lines = new LineReader(maxBytes + 'data: '.length, {
      line: (bytes) => this.#readLine(bytes),
      empty: () => this.#dispatch(),
      oversized: (head, tail) => this.#readLong(head, tail),
    });
  }

  push(chunk: Buffer): void {
    this.#lines.push(chunk);
  }

  #readLine(line: Buffer): void {
    // The line reader writes carriage returns as spaces.
    if (line.length === 1 && line[0] === SPACE) {
      this.#dispatch();
      return;
    }
    const colon = line.indexOf(':');
    const name = line.toString('latin1', 0, colon < 0 ? line.length : colon);
    const value =
      colon < 0 ? line.subarray(line.length) : line.subarray(line[colon + 1] === SPACE ? colon + 2 : colon + 1);
    if (name === 'data') this.#add(value);
    else if (name === 'id') this.#id = value.toString('utf8').replace(/ $/, '');
    else if (name === 'retry' && /^\d{1,9} ?$/.test(value.toString('latin1'))) this.retryMs = Number(value);
  }

  #readLong(head: Buffer, tail: Buffer): void {
    const prefix = /^data: ?/.exec(head.toString('latin1', 0, 6))?.[0] ?? '';
    this.#size = this.#maxBytes + 1;
    this.#data = [head.subarray(prefix.length), tail];
  }

  #add(part: Buffer): void {
    this.#size += part.length + (this.#data.length > 0 ? 1 : 0);
    if (this.#size > this.#maxBytes && this.#data.length > 1) this.#data = [this.#data[0] as Buffer, part];
    else this.#data.push(part);
  }

  #dispatch(): void {
    const [data, size] = [this.#data, this.#size];
    this.#data = [];
    this.#size = 0;
    this.lastEventId = this.#id ?? this.lastEventId;
    const [first] = data;
    if (first === undefined || size === 0) return;
    if (size > this.#maxBytes) this.#listener.oversized(first, data.at(-1) as Buffer);
    else this.#listener.message(data.length === 1 ? first : joined(data));
  }
}

function joined(lines: readonly Buffer[]): Buffer {
  const [first, ...rest] = lines as [Buffer, ...Buffer[]];
  return Buffer.concat([first, ...rest.flatMap((line) => [Buffer.from(' '), line])]);
}
