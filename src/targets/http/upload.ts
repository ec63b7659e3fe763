import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { MAX_BODY_MS, tooLarge, tooSlow, unfinished } from '../../http/body.js';

/** Bytes that are buffered while the target is slow. */
const MAX_BUFFERED = 65_536;

/**
 * The body of a request on its way to a target, read as fast as the target takes it. It fails with a `BodyError` if it is longer than
 * `maxBytes`, or if the target waits too long for more of it: the wait occupies one of the target's connections. It is a stream of its
 * own because undici destroys the stream that it is given: destroying the request would also close the connection that the answer needs.
 */
export class Upload extends Readable {
  readonly #req: IncomingMessage;
  readonly #maxBytes: number;
  readonly #maxWaitMs: number;
  #size = 0;
  readonly #removeListeners: () => void;
  /** Runs while the target waits for the client. */
  #waiting: NodeJS.Timeout | undefined;

  /** @param maxWaitMs Milliseconds that the target may wait for more of the body. */
  constructor(req: IncomingMessage, maxBytes: number, maxWaitMs = MAX_BODY_MS) {
    super({ highWaterMark: MAX_BUFFERED });
    this.#req = req;
    this.#maxBytes = maxBytes;
    this.#maxWaitMs = maxWaitMs;
    const onData = (chunk: Buffer): void => this.#add(chunk);
    const onEnd = (): void => {
      this.#stopWaiting();
      this.push(null);
    };
    const onClose = (): void => {
      // Requests that come from no socket have no `complete`.
      if (!req.complete && !req.readableEnded) this.destroy(unfinished());
    };
    this.#removeListeners = () => void req.off('data', onData).off('end', onEnd).off('close', onClose);
    req.on('data', onData).on('end', onEnd).on('close', onClose);
    // The exchange reports the error; without a listener, it would end the process.
    this.on('error', () => undefined);
  }

  /** Bytes that the target has taken. */
  get taken(): number {
    return this.#size - this.readableLength;
  }

  override _read(): void {
    this.#waiting ??= setTimeout(() => this.destroy(tooSlow()), this.#maxWaitMs).unref();
    this.#req.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#removeListeners();
    this.#stopWaiting();
    // A client that still writes does not read its answer: take in the rest.
    this.#req.resume();
    callback(error);
  }

  #stopWaiting(): void {
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
  }

  #add(chunk: Buffer): void {
    this.#stopWaiting();
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) this.destroy(tooLarge(this.#maxBytes));
    else if (!this.push(chunk)) this.#req.pause();
  }
}
