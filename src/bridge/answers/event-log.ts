// Per session. A client that was away longer, or missed more, has to start again.
const MAX_EVENTS = 256;
const MAX_BYTES = 1_048_576;
// An event that a connection has taken may still be lost on its way: it is kept for a client that comes back soon.
const DELIVERED_AFTER_MS = 60_000;

interface Entry {
  readonly stream: number;
  readonly event: number;
  readonly frame: Buffer;
}

/** The newest answer of a session, which a tool has run for: kept whatever its size until it counts as delivered. */
interface NewestAnswer {
  readonly entry: Entry;
  /** When it counts as delivered; undefined while no connection has taken it. */
  deliveredAt: number | undefined;
}

/**
 * The latest events of one session, for clients that resume a stream: bounded in number and size, but for the newest answer that was
 * not delivered, which is as large as a message may be.
 */
export class EventLog {
  readonly #entries: Entry[] = [];
  /** Of all entries but the newest answer. */
  #bytes = 0;
  #answer: NewestAnswer | undefined;

  /** `isTaken` says whether a connection has taken it. */
  append(stream: number, event: number, frame: Buffer, { isAnswer = false, isTaken = false } = {}): void {
    const entry = { stream, event, frame };
    this.#entries.push(entry);
    if (isAnswer) {
      this.#countAnswer();
      this.#answer = { entry, deliveredAt: isTaken ? performance.now() + DELIVERED_AFTER_MS : undefined };
    } else this.#bytes += frame.length;
    this.#trim();
  }

  /** A connection has taken what is kept of `stream`, or broke before it had. */
  mark(stream: number, isTaken: boolean): void {
    if (this.#answer?.entry.stream !== stream) return;
    this.#answer.deliveredAt = isTaken ? performance.now() + DELIVERED_AFTER_MS : undefined;
  }

  /** Lets time pass. */
  tick(now: number): void {
    if (this.#answer?.deliveredAt === undefined || now < this.#answer.deliveredAt) return;
    this.#countAnswer();
    this.#trim();
  }

  /** The events of `stream` after `event` that are still kept. */
  after(stream: number, event: number): readonly Buffer[] {
    return this.#entries.filter((entry) => entry.stream === stream && entry.event > event).map((entry) => entry.frame);
  }

  /** True if any event of `stream` is kept. */
  has(stream: number): boolean {
    return this.#entries.some((entry) => entry.stream === stream);
  }

  /** From now on it counts as any other event does. */
  #countAnswer(): void {
    this.#bytes += this.#answer?.entry.frame.length ?? 0;
    this.#answer = undefined;
  }

  #trim(): void {
    const spared = this.#answer?.entry;
    while (this.#entries.length - (spared ? 1 : 0) > MAX_EVENTS || this.#bytes > MAX_BYTES) {
      const [dropped] = this.#entries.splice(this.#entries[0] === spared ? 1 : 0, 1);
      this.#bytes -= dropped?.frame.length ?? 0;
    }
  }
}
