import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '../index.js';
import type { ProcessTimes } from './config/process-settings.js';
import type { GatewayRoute } from './route.js';

/** The times of a drain. */
export type DrainTimes = Pick<ProcessTimes, 'drainSeconds' | 'minDrainSeconds'>;

/** The time between the signal to stop and the end: the gateway is not ready, opens no sessions, and lets calls finish. */
export class GatewayDrain {
  readonly #routes: () => readonly GatewayRoute[];
  readonly #logger: Logger;
  #hasBegun = false;

  /** @param routes Returns the current routes. */
  constructor(routes: () => readonly GatewayRoute[], logger: Logger) {
    this.#routes = routes;
    this.#logger = logger;
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Resolves when no request is in flight and `minDrainSeconds` have passed, after `drainSeconds` at the latest. */
  async run({ drainSeconds, minDrainSeconds }: DrainTimes): Promise<void> {
    this.#hasBegun = true;
    const end = performance.now() + drainSeconds * 1_000;
    const drained = this.#drainRoutes(drainSeconds);
    if (!(await isSettled(drained)) || minDrainSeconds > 0)
      this.#logger.info(`New sessions are refused, and calls may finish for ${drainSeconds} s. Ctrl-C ends at once`);
    await Promise.all([drained, delay(Math.min(minDrainSeconds, drainSeconds) * 1_000)]);
    // More requests may have come during `minDrainSeconds`.
    const last = this.#drainRoutes(Math.max(0, end - performance.now()) / 1_000);
    const hasCalls = !(await isSettled(last));
    await last;
    if (hasCalls && performance.now() >= end)
      this.#logger.warn(
        `Calls that have not finished in ${drainSeconds} s end now with an error (closing). ` +
          'If they need longer: --drain-seconds',
      );
  }

  async #drainRoutes(seconds: number): Promise<void> {
    await Promise.all(this.#routes().map((route) => route.drain(seconds)));
  }
}

/** Resolves to true if the promise resolves in this turn of the event loop. */
function isSettled(promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), nextTurn(false)]);
}
