import type { Logger } from '../core/logger.js';
import { type Caller, type Lease, type Limits, Quota, type QuotaRefusal } from '../core/quota.js';
import type { BridgeError } from '../messages/bridge-error.js';
import { createCapRefusal } from '../messages/cap-refusal.js';
import type { Connection, ConnectionSource } from './connection.js';

/** The connections of one backend, within its limits. */
export class LeasedConnections {
  readonly #source: ConnectionSource;
  readonly #quota: Quota;
  readonly #refusalOf: (refusal: QuotaRefusal) => BridgeError;

  /**
   * @param who The function that refuses callers, in the log.
   * @param maxStopSeconds Seconds that a connection may take to end; null if it ends at once.
   */
  constructor(
    who: string,
    source: ConnectionSource,
    options: Limits & { readonly logger: Logger },
    maxStopSeconds: number | null,
  ) {
    this.#source = source;
    this.#quota = new Quota(options);
    this.#refusalOf = createCapRefusal(who, options.logger, maxStopSeconds);
  }

  get size(): number {
    return this.#source.size;
  }

  /**
   * Returns a connection for this caller. Call `lease.release()` when it is no longer used; it counts as alive until it has ended.
   *
   * @throws {BridgeError} If a limit is reached.
   */
  take(caller: Caller): { readonly connection: Connection; readonly lease: Lease } {
    const lease = this.#quota.take(caller);
    if ('cap' in lease) throw this.#refusalOf(lease);
    try {
      const connection = this.#source.open(caller);
      void connection.ended.then(() => lease.gone());
      return { connection, lease };
    } catch (error) {
      lease.release();
      lease.gone();
      throw error;
    }
  }

  /** Ends every connection; resolves when none is left. */
  close(): Promise<void> {
    return this.#source.close();
  }
}
