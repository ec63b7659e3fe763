import { BridgeError } from '../../messages/bridge-error.js';

/** The total size of the bodies that may wait for a child. A single body may always wait. */
const MAX_WAITING_BYTES = 16_777_216;

/** Counts the requests that wait for one child, and limits their number and the size of their bodies. */
export class Waiters {
  readonly #max: number;
  #count = 0;
  #bytes = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /**
   * Counts a request with a body of `bytes` for as long as `work` takes.
   *
   * @throws {BridgeError} `too_many_pending`, before `work` begins.
   */
  async count<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const isHeavy = bytes > 0 && this.#bytes > 0 && this.#bytes + bytes > MAX_WAITING_BYTES;
    if (this.#count >= this.#max || isHeavy) throw new BridgeError('too_many_pending');
    this.#count++;
    this.#bytes += bytes;
    try {
      return await work();
    } finally {
      this.#count--;
      this.#bytes -= bytes;
    }
  }
}
