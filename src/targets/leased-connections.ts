import type { Advice } from '../core/advice.js';
import type { Logger } from '../core/logger.js';
import { type Caller, type Lease, type Limits, Quota, type QuotaRefusal } from '../core/quota.js';
import type { BridgeError } from '../messages/bridge-error.js';
import { createCapRefusal } from '../messages/cap-refusal.js';
import type { Connection, ConnectionSource } from './connection.js';
import { createDisconnectionLog, type DisconnectionLog, SlowReaders } from './slow-readers.js';

/** A connection that counts towards the limits of its caller. */
export interface LeasedConnection {
  readonly connection: Connection;
  /** The clients that are slow to read what the connection sends. */
  readonly slowReaders: SlowReaders;
  /** Call `lease.release()` when the connection is no longer used; it counts as alive until it has ended. */
  readonly lease: Lease;
}

/** The connections of one backend, within its limits. */
export class LeasedConnections {
  readonly #source: ConnectionSource;
  readonly #quota: Quota;
  readonly #refusalOf: (refusal: QuotaRefusal) => BridgeError;
  readonly #logDisconnection: DisconnectionLog;

  /**
   * @param who The function that refuses callers, in the log.
   * @param maxStopSeconds Seconds that a connection may take to end; null if it ends at once.
   */
  constructor(
    who: string,
    source: ConnectionSource,
    options: Limits & { readonly logger: Logger; readonly advice: Pick<Advice, 'names'> },
    maxStopSeconds: number | null,
  ) {
    this.#source = source;
    this.#quota = new Quota(options);
    this.#refusalOf = createCapRefusal(who, options.logger, options.advice, maxStopSeconds);
    this.#logDisconnection = createDisconnectionLog(who, options.logger);
  }

  get size(): number {
    return this.#source.size;
  }

  /**
   * Returns a connection for this caller.
   *
   * @throws {BridgeError} If a limit is reached.
   */
  take(caller: Caller): LeasedConnection {
    const lease = this.#quota.take(caller);
    if ('cap' in lease) throw this.#refusalOf(lease);
    try {
      const connection = this.#source.open(caller);
      void connection.ended.then(() => lease.gone());
      return { connection, slowReaders: new SlowReaders(connection, this.#logDisconnection), lease };
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
