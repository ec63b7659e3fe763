import type { Principal } from '../../core/principal.js';
import type { Caller, Lease } from '../../core/quota.js';
import { isExpiredOrWithdrawn } from '../../core/token-validity.js';
import { onceClosed } from '../../http/hang-up.js';
import type { BridgeErrorCode } from '../../messages/bridge-error.js';
import type { RpcMessage } from '../../messages/json-rpc.js';
import type { Connection } from '../../targets/connection.js';
import type { LeasedConnections } from '../../targets/leased-connections.js';
import type { ResolvedBridge } from '../bridge-options.js';
import type { BridgeRequest } from '../bridge-request.js';
import { isAbandoned } from '../idle-time.js';
import { StatelessConnection } from './stateless-connection.js';

// The time in which a client must read something, or it is disconnected: the other requests of the connection wait meanwhile. Linux keeps
// megabytes of an answer and takes more in steps, so a client that reads 64 KiB a second seems to be quiet for up to 25 seconds.
const MAX_QUIET_MS = 30_000;

/** The owner of a connection: a principal, or one request of an anonymous caller. */
export type Owner = Principal | BridgeRequest;

/** A connection that is not ready yet. */
export interface NewConnection {
  readonly owner: Owner;
  readonly principal: Principal;
  readonly stateless: StatelessConnection;
  readonly connection: Connection;
}

interface OpenConnection<Prepared> extends NewConnection {
  readonly lease: Lease;
  /** The last caller. A connection that is opened again is opened for it. */
  caller: Caller;
  /** Resolves when requests can be sent. */
  readonly ready: Promise<Prepared>;
}

/** The differences between revisions. */
export interface PoolPlan<Prepared> {
  /** The HTTP status of a response; undefined for 200. */
  statusOf?(response: RpcMessage): number;
  /** Prepares a connection for the requests of clients. If it rejects, it must end the connection. */
  prepare(opened: NewConnection): Promise<Prepared>;
}

/**
 * The connections that serve requests without a session: one for each principal, opened at its first request. Anonymous callers cannot
 * be told apart, so each of their requests has its own connection, unless `anonymousRequests` is `shared`.
 */
export class ConnectionPool<Prepared> {
  restarts = 0;
  readonly #options: ResolvedBridge;
  readonly #connections: LeasedConnections;
  readonly #plan: PoolPlan<Prepared>;
  readonly #open = new Map<Owner, OpenConnection<Prepared>>();
  #isClosed = false;

  constructor(options: ResolvedBridge, connections: LeasedConnections, plan: PoolPlan<Prepared>) {
    this.#options = options;
    this.#connections = connections;
    this.#plan = plan;
  }

  get pending(): number {
    let sum = 0;
    for (const { stateless } of this.#open.values()) sum += stateless.pending;
    return sum;
  }

  /** True if no other request may use the connection of this one. */
  isSeparate({ auth }: Caller): boolean {
    return auth === undefined && this.#options.anonymousRequests === 'separate';
  }

  /**
   * Returns the connection for a request of `bytes` bytes once it is ready, and opens it if needed.
   *
   * @throws {BridgeError} If it cannot be made ready, or if a limit is reached.
   */
  async get(request: BridgeRequest, bytes: number): Promise<{ stateless: StatelessConnection; prepared: Prepared }> {
    const { principal, auth, isChecked } = request;
    const owner = this.isSeparate(request) ? request : principal;
    const open = this.#open.get(owner) ?? this.#start(owner, principal, request);
    open.caller = { auth, isChecked };
    const { stateless, ready } = open;
    return { stateless, prepared: await stateless.countWaiting(bytes, () => ready) };
  }

  /** `Connection.whenWritable()` of the principal's connection; undefined if there is none. */
  whenWritable(principal: Principal, since: number, bytes: number): Promise<void> | undefined {
    return this.#open.get(principal)?.stateless.whenWritable(since, bytes);
  }

  /** Called every second, for timeouts, keep-alive comments, expired tokens and idle connections. Returns true if a request has timed out. */
  tick(now: number, keepAlive: boolean): boolean {
    let isLate = false;
    for (const opened of [...this.#open.values()]) {
      const { stateless, connection } = opened;
      if (stateless.isLate(now, this.#options.startTimeoutSeconds * 1_000)) {
        connection.logLateStart(this.#options.startTimeoutSeconds);
        this.end(opened, 'start_timed_out');
        continue;
      }
      isLate = stateless.tick(now, keepAlive, this.#options.requestTimeoutSeconds * 1_000) || isLate;
      if (stateless.isInUse) stateless.lastUsed = now;
      else if (isAbandoned(stateless, now, this.#options)) this.end(opened, 'session_ended');
    }
    return isLate;
  }

  endSubscriptions(): void {
    for (const { stateless } of this.#open.values()) stateless.endSubscriptions();
  }

  endAll(reason: BridgeErrorCode): void {
    this.#isClosed = true;
    for (const opened of [...this.#open.values()]) this.end(opened, reason);
  }

  /** Answers the requests in flight and ends the connection. */
  end(opened: Pick<NewConnection, 'owner' | 'stateless'>, reason: BridgeErrorCode): void {
    if (this.#forget(opened)) void opened.stateless.end(reason);
  }

  #start(owner: Owner, principal: Principal, { auth, isChecked }: Caller): OpenConnection<Prepared> {
    const caller = { auth, isChecked };
    const { connection, slowReaders, lease } = this.#connections.take(caller);
    const stateless = new StatelessConnection(connection, {
      auth,
      maxPending: this.#options.maxPendingRequests,
      statusOf: this.#plan.statusOf,
      pauseFor: (res) => slowReaders.pauseFor(res, MAX_QUIET_MS),
      onGone: () => this.#gone({ owner, stateless }),
    });
    const opened = { owner, principal, stateless, connection };
    const end = () => this.end(opened, 'session_ended');
    if (typeof owner === 'string') lease.occupy(stateless, end);
    else onceClosed(owner.res, end);
    const ready = this.#plan.prepare(opened);
    // The requests that await it get the error. If none does, it must not become an unhandled rejection.
    ready.catch(() => undefined);
    const open = { ...opened, lease, caller, ready };
    this.#open.set(owner, open);
    return open;
  }

  #gone({ owner, stateless }: Pick<NewConnection, 'owner' | 'stateless'>): void {
    const caller = this.#open.get(owner)?.caller;
    if (!this.#forget({ owner, stateless }) || this.#isClosed || !stateless.hasServedClient) return;
    // The connection of one anonymous request has no more requests to serve.
    if (caller === undefined || typeof owner !== 'string' || isExpiredOrWithdrawn(caller.auth)) return;
    this.restarts++;
    try {
      this.#start(owner, owner, caller);
    } catch {
      // No request waits for it: the next request of the principal tries again, and gets the error.
    }
  }

  #forget({ owner, stateless }: Pick<NewConnection, 'owner' | 'stateless'>): boolean {
    const open = this.#open.get(owner);
    if (open?.stateless !== stateless) return false;
    this.#open.delete(owner);
    open.lease.release();
    return true;
  }
}
