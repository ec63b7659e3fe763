import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { BodyError, tooLarge } from '../../http/body.js';

/** Bytes that wait here while the other side is slow. */
const MAX_WAITING = 65_536;

/**
 * A request's body on its way to another server: read as fast as that one takes it, and refused once it is over `maxBytes`. A stream
 * of its own, since undici destroys the stream that it is given, and with a request also the connection that the answer needs.
 */
export class Upload extends Readable {
  readonly #req: IncomingMessage;
  readonly #maxBytes: number;
  #size = 0;
  readonly #leave: () => void;

  constructor(req: IncomingMessage, maxBytes: number) {
    super({ highWaterMark: MAX_WAITING });
    this.#req = req;
    this.#maxBytes = maxBytes;
    const onData = (chunk: Buffer): void => this.#add(chunk);
    const onEnd = (): void => void this.push(null);
    const onClose = (): void => {
      if (!req.complete) this.destroy(new BodyError(400, 'The request ended before its body did'));
    };
    this.#leave = () => void req.off('data', onData).off('end', onEnd).off('close', onClose);
    req.on('data', onData).on('end', onEnd).on('close', onClose);
    // The exchange is told of the error; without a listener it would end the process.
    this.on('error', () => undefined);
  }

  override _read(): void {
    this.#req.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#leave();
    // Nothing reads the rest, and a client that still writes would not read its answer.
    this.#req.resume();
    callback(error);
  }

  #add(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) this.destroy(tooLarge(this.#maxBytes));
    else if (!this.push(chunk)) this.#req.pause();
  }
}
