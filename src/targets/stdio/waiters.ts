import { BridgeError } from '../../messages/bridge-error.js';

/** How much may be held in memory until a child goes on; one body may always wait. */
const MAX_WAITING_BYTES = 16_777_216;

/** The requests whose bodies are kept until one child goes on: bounded in number and in bytes. */
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
