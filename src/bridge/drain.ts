import { IdleWaits } from '../core/idle-waits.js';
import { BridgeError } from '../messages/bridge-error.js';

/** One day. A larger number is probably one of milliseconds. */
const MAX_SECONDS = 86_400;

/** The parts of a backend that a drain asks. */
export interface DrainPlan {
  /** True while a client waits for an answer. */
  isBusy(): boolean;
  /** Ends the streams on which clients only listen, except in sessions in which a client waits for an answer. */
  endStreams(): void;
}

/** The time before a backend is closed: it opens no new sessions, and clients get the answers that they wait for. */
export class Drain {
  readonly #plan: DrainPlan;
  readonly #waits = new IdleWaits();
  #hasBegun = false;

  constructor(plan: DrainPlan) {
    this.#plan = plan;
  }

  /** True once new sessions are refused. It stays true. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Begins the drain, or waits for the one that has begun. Resolves when no client waits for an answer, after `seconds` at the latest. */
  async begin(seconds: number): Promise<void> {
    if (!(typeof seconds === 'number' && seconds >= 0 && seconds <= MAX_SECONDS))
      throw new RangeError(`drain() takes a number of seconds from 0 to ${MAX_SECONDS}`);
    this.#hasBegun = true;
    const idle = this.#waits.add(seconds * 1_000);
    this.check();
    await idle;
  }

  /** @throws {BridgeError} If no new session may be opened; the error answers the request `id`. */
  requireOpen(id?: string): void {
    if (this.#hasBegun) throw new BridgeError('closing', { id });
  }

  /** Called when an answer has ended, and every second. */
  check(): void {
    if (!this.#hasBegun) return;
    this.#plan.endStreams();
    if (!this.#plan.isBusy()) this.#waits.finish();
  }
}
