import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { BodyError, tooLarge } from '../../http/body.js';

/** Bytes that are buffered while the target is slow. */
const MAX_BUFFERED = 65_536;

/**
 * A request's body on its way to the target: read as fast as the target takes it, and refused if it is longer than `maxBytes`. It is a
 * stream of its own because undici destroys the stream that it gets, and with `req` it would destroy the connection for the answer.
 */
export class Upload extends Readable {
  readonly #req: IncomingMessage;
  readonly #maxBytes: number;
  #size = 0;
  readonly #removeListeners: () => void;

  constructor(req: IncomingMessage, maxBytes: number) {
    super({ highWaterMark: MAX_BUFFERED });
    this.#req = req;
    this.#maxBytes = maxBytes;
    const onData = (chunk: Buffer): void => this.#add(chunk);
    const onEnd = (): void => void this.push(null);
    const onClose = (): void => {
      if (!req.complete) this.destroy(new BodyError(400, 'The request ended before its body did'));
    };
    this.#removeListeners = () => void req.off('data', onData).off('end', onEnd).off('close', onClose);
    req.on('data', onData).on('end', onEnd).on('close', onClose);
    // The exchange gets the error from undici; without a listener here, the error would end the process.
    this.on('error', () => undefined);
  }

  override _read(): void {
    this.#req.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#removeListeners();
    // Discard the rest: a client that is still writing would not read the answer.
    this.#req.resume();
    callback(error);
  }

  #add(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) this.destroy(tooLarge(this.#maxBytes));
    else if (!this.push(chunk)) this.#req.pause();
  }
}
