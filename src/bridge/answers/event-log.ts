// Per session. A client that was away longer, or missed more, has to start anew.
const MOST_EVENTS = 256;
const MOST_BYTES = 1_048_576;

interface Entry {
  readonly stream: number;
  readonly event: number;
  readonly frame: Buffer;
}

/** The latest events of one session, bounded in number and size, for clients that resume a stream. */
export class EventLog {
  #entries: Entry[] = [];
  #bytes = 0;

  append(stream: number, event: number, frame: Buffer): void {
    this.#entries.push({ stream, event, frame });
    this.#bytes += frame.length;
    while (this.#entries.length > MOST_EVENTS || this.#bytes > MOST_BYTES) {
      const dropped = this.#entries.shift() as Entry;
      this.#bytes -= dropped.frame.length;
    }
  }

  /** What is kept of `stream` after `event`. */
  after(stream: number, event: number): readonly Buffer[] {
    return this.#entries.filter((entry) => entry.stream === stream && entry.event > event).map((entry) => entry.frame);
  }

  /** Whether any event of `stream` is kept. */
  holds(stream: number): boolean {
    return this.#entries.some((entry) => entry.stream === stream);
  }
}
