// The limits of one session. A client that missed more events than are kept cannot resume its stream.
const MAX_EVENTS = 256;
const MAX_BYTES = 1_048_576;
// A connection that has taken the newest answer may still break: the answer is kept this long for a client that reconnects.
const DELIVERED_AFTER_MS = 60_000;

interface Entry {
  readonly stream: number;
  readonly event: number;
  readonly frame: Buffer;
}

/** The newest answer of a session. A tool ran to produce it, so it is kept, whatever its size, until it counts as delivered. */
interface NewestAnswer {
  readonly entry: Entry;
  /** The time at which it counts as delivered; undefined while no connection has taken it. */
  deliveredAt: number | undefined;
}

/**
 * The latest events of one session, for clients that resume a stream. Their number and size are bounded; the newest undelivered
 * answer does not count, and may be as large as `maxMessageBytes`.
 */
export class EventLog {
  readonly #entries: Entry[] = [];
  /** The size of all entries except the newest answer. */
  #bytes = 0;
  #answer: NewestAnswer | undefined;

  /** Adds an event; `isTaken` is true if a connection has taken it. */
  append(stream: number, event: number, frame: Buffer, { isAnswer = false, isTaken = false } = {}): void {
    const entry = { stream, event, frame };
    this.#entries.push(entry);
    if (isAnswer) {
      this.#countAnswer();
      this.#answer = { entry, deliveredAt: isTaken ? performance.now() + DELIVERED_AFTER_MS : undefined };
    } else this.#bytes += frame.length;
    this.#trim();
  }

  /** Notes that a connection has taken the kept events of `stream`, or broke before it did. */
  mark(stream: number, isTaken: boolean): void {
    if (this.#answer?.entry.stream !== stream) return;
    this.#answer.deliveredAt = isTaken ? performance.now() + DELIVERED_AFTER_MS : undefined;
  }

  /** Called every second. An answer that counts as delivered by now becomes an ordinary event. */
  tick(now: number): void {
    if (this.#answer?.deliveredAt === undefined || now < this.#answer.deliveredAt) return;
    this.#countAnswer();
    this.#trim();
  }

  /** Returns the kept events of `stream` after `event`. */
  after(stream: number, event: number): readonly Buffer[] {
    return this.#entries.filter((entry) => entry.stream === stream && entry.event > event).map((entry) => entry.frame);
  }

  /** True if any event of `stream` is kept. */
  has(stream: number): boolean {
    return this.#entries.some((entry) => entry.stream === stream);
  }

  /** Makes the newest answer an ordinary event, which counts towards the limits. */
  #countAnswer(): void {
    this.#bytes += this.#answer?.entry.frame.length ?? 0;
    this.#answer = undefined;
  }

  #trim(): void {
    const exempt = this.#answer?.entry;
    while (this.#entries.length - (exempt ? 1 : 0) > MAX_EVENTS || this.#bytes > MAX_BYTES) {
      const [dropped] = this.#entries.splice(this.#entries[0] === exempt ? 1 : 0, 1);
      this.#bytes -= dropped?.frame.length ?? 0;
    }
  }
}
