import { BridgeError } from '../../messages/bridge-error.js';
import type { Sender } from '../connection.js';

/** Bytes that may wait for a target that is slow to read, or that is being opened again. A single message may always wait. */
const MAX_QUEUED_BYTES = 16_777_216;
const MAX_QUEUED = 1_000;

interface Queued {
  readonly bytes: Buffer;
  readonly sender: Sender | undefined;
}

/** The messages that wait for one target. */
export class MessageQueue {
  readonly #queue: Queued[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** @throws {BridgeError} If too much waits. */
  add(bytes: Buffer, sender: Sender | undefined): void {
    const isHeavy = this.#bytes > 0 && this.#bytes + bytes.length > MAX_QUEUED_BYTES;
    if (this.#queue.length >= MAX_QUEUED || isHeavy) throw new BridgeError('too_many_pending');
    this.#queue.push({ bytes, sender });
    this.#bytes += bytes.length;
  }

  /** Removes the message that has waited longest, and returns it. */
  take(): Queued | undefined {
    const next = this.#queue.shift();
    this.#bytes -= next?.bytes.length ?? 0;
    return next;
  }

  clear(): void {
    this.#queue.length = 0;
    this.#bytes = 0;
  }
}
