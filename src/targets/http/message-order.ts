/** The longest time that messages wait until the server has accepted a notification before them, in milliseconds. */
const MAX_ORDER_MS = 5_000;
/** The longest time that the first request of a session waits for the session's event stream, in milliseconds. */
const MAX_STREAM_MS = 500;

/** Keeps messages from overtaking the notifications and responses before them: each may travel on another TCP connection. */
export class MessageOrder {
  #next: Promise<void> = Promise.resolve();

  /** Resolves when the next message may be sent. */
  get next(): Promise<void> {
    return this.#next;
  }

  /**
   * Lets later messages wait until the server has accepted this one.
   *
   * @param streamOf Called then. Returns a promise if the message opened the event stream of a session, which resolves when the stream
   *   has begun: many servers drop messages that have no stream, and some begin to answer only with the first message.
   */
  add(accepted: Promise<void>, streamOf: () => Promise<void> | undefined): Promise<void> {
    this.#next = inTime(accepted, MAX_ORDER_MS).then(() => {
      const stream = streamOf();
      return stream && inTime(stream, MAX_STREAM_MS);
    });
    return this.#next;
  }
}

/** Resolves with `promise`, at the latest after `ms`. */
export function inTime(promise: Promise<void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    timer.unref();
    void promise.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
