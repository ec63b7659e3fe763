import { BridgeError } from '../messages/bridge-error.js';

/** The total size of the bodies that may wait for one connection. A single body may always wait. */
const MAX_WAITING_BYTES = 16_777_216;

/** The limits of {@link Waiters}. */
export interface WaitLimits {
  /** The number of requests that may wait until the server reads on. */
  readonly maxWaiting: number;
  /** The longest time that each of them may wait, in milliseconds; 0 is no limit. */
  readonly waitMs: number;
}

/** Counts the requests that wait for one connection, and limits their number, the size of their bodies and their time. */
export class Waiters {
  readonly #limits: WaitLimits;
  #count = 0;
  #bytes = 0;

  constructor(limits: WaitLimits) {
    this.#limits = limits;
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
    if (this.#count >= this.#limits.maxWaiting || isHeavy) throw new BridgeError('too_many_pending');
    this.#count++;
    this.#bytes += bytes;
    try {
      return await work();
    } finally {
      this.#count--;
      this.#bytes -= bytes;
    }
  }

  /**
   * Counts a request until `drained` resolves.
   *
   * @throws {BridgeError} `too_many_pending`, or `request_timed_out` at `waitMs` after `since`.
   */
  wait(drained: Promise<void>, since: number, bytes: number): Promise<void> {
    return this.count(bytes, () => this.#inTime(drained, since));
  }

  async #inTime(drained: Promise<void>, since: number): Promise<void> {
    const { waitMs } = this.#limits;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      if (waitMs === 0) return;
      timer = setTimeout(() => reject(new BridgeError('request_timed_out')), since + waitMs - performance.now());
    });
    try {
      await Promise.race([drained, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
