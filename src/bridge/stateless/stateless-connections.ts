import { isOver } from '../../core/authority.js';
import type { Principal } from '../../core/principal.js';
import type { Caller, Lease } from '../../core/quota.js';
import { onceClosed } from '../../http/hang-up.js';
import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import { SESSION_REVISIONS } from '../../messages/revision.js';
import type { Connection } from '../../targets/connection.js';
import type { LeasedConnections } from '../../targets/leased-connections.js';
import type { ResolvedBridge } from '../bridge-options.js';
import type { BridgeRequest } from '../bridge-request.js';
import { isAbandoned } from '../idle-time.js';
import { requestFromServer } from './internal-request.js';
import { StatelessConnection } from './stateless-connection.js';

// A program that speaks only revisions with sessions may be updated, so it is asked again after this time. Asking opens a connection.
const SESSIONS_ONLY_FOR_MS = 3_600_000;
// A program that did not answer may only have been slow to start, so it is asked again sooner.
const SILENT_FOR_MS = 60_000;
const PROBE_MS = 15_000;

interface OpenConnection {
  readonly stateless: StatelessConnection;
  readonly connection: Connection;
  readonly lease: Lease;
  /** The last caller. A connection that is opened again is opened for it. */
  caller: Caller;
  /** Resolves when the server has named revisions without sessions that it speaks; rejects if it speaks none. */
  readonly ready: Promise<void>;
}

/** The owner of a connection: a principal, or one request of an anonymous caller. */
type Owner = Principal | BridgeRequest;

/**
 * The connections that serve requests without a session: one for each principal, opened at its first request. Anonymous callers cannot
 * be told apart, so each of their requests has its own connection, unless `anonymousRequests` is `shared`.
 */
export class StatelessConnections {
  restarts = 0;
  readonly #options: ResolvedBridge;
  readonly #connections: LeasedConnections;
  readonly #running = new Map<Owner, OpenConnection>();
  #versions: readonly string[] | undefined;
  #sessionsOnlyUntil = 0;
  /** The principals whose server did not say which revisions it speaks, each with the time of the next attempt. */
  readonly #silentUntil = new Map<Principal, number>();
  #closed = false;

  constructor(options: ResolvedBridge, connections: LeasedConnections) {
    this.#options = options;
    this.#connections = connections;
  }

  get pending(): number {
    let sum = 0;
    for (const { stateless } of this.#running.values()) sum += stateless.pending;
    return sum;
  }

  /** True if no other request may use the connection of this one. */
  isSeparate({ auth }: Caller): boolean {
    return auth === undefined && this.#options.anonymousRequests === 'separate';
  }

  /**
   * Returns the connection for a request of `bytes` bytes, and opens it if needed.
   *
   * @throws {BridgeError} If the program does not speak `version` or did not start, or if a limit is reached.
   */
  async get(request: BridgeRequest, bytes: number, version?: string): Promise<StatelessConnection> {
    const { principal, auth, isChecked } = request;
    const sessionsOnlyUntil = Math.max(this.#sessionsOnlyUntil, this.#silentUntil.get(principal) ?? 0);
    if (this.#versions === undefined && performance.now() < sessionsOnlyUntil) throw new BridgeError('legacy_server');
    const owner = this.isSeparate(request) ? request : principal;
    const running = this.#running.get(owner) ?? this.#start(owner, principal, request);
    running.caller = { auth, isChecked };
    await running.stateless.countWaiting(bytes, () => running.ready);
    if (version !== undefined && !this.#versions?.includes(version)) {
      throw new BridgeError('unsupported_protocol_version', {
        data: { supported: this.#versions, requested: version },
      });
    }
    return running.stateless;
  }

  /** `Connection.ready()` of the principal's connection; undefined if there is none. */
  ready(principal: Principal, since: number, bytes: number): Promise<void> | undefined {
    return this.#running.get(principal)?.stateless.ready(since, bytes);
  }

  /** Called every second, for timeouts, keep-alive comments, expired tokens and idle connections. */
  tick(now: number, keepAlive: boolean): void {
    for (const [principal, until] of this.#silentUntil) if (now >= until) this.#silentUntil.delete(principal);
    for (const [owner, { stateless, connection }] of [...this.#running]) {
      if (stateless.isLate(now, this.#options.startTimeoutSeconds * 1_000)) {
        connection.logLateStart(this.#options.startTimeoutSeconds);
        this.#end(owner, stateless, 'start_timed_out');
        continue;
      }
      stateless.tick(now, keepAlive, this.#options.requestTimeoutSeconds * 1_000);
      if (stateless.isInUse) stateless.lastUsed = now;
      else if (isAbandoned(stateless, now, this.#options)) this.#end(owner, stateless, 'session_ended');
    }
  }

  endAll(reason: BridgeErrorCode): void {
    this.#closed = true;
    for (const [owner, { stateless }] of [...this.#running]) this.#end(owner, stateless, reason);
  }

  #start(owner: Owner, principal: Principal, { auth, isChecked }: Caller): OpenConnection {
    const caller = { auth, isChecked };
    const { connection, lease } = this.#connections.take(caller);
    const gone = (): void => this.#gone(owner, stateless);
    const stateless = new StatelessConnection(connection, auth, this.#options.maxPendingRequests, gone);
    const end = () => this.#end(owner, stateless, 'session_ended');
    if (typeof owner === 'string') lease.occupy(stateless, end);
    else onceClosed(owner.res, end);
    const ready = this.#versions ? Promise.resolve() : this.#probe(owner, principal, { stateless, connection });
    // The requests that await it get the error. If none does, it must not become an unhandled rejection.
    ready.catch(() => undefined);
    const running = { stateless, connection, lease, caller, ready };
    this.#running.set(owner, running);
    return running;
  }

  async #probe(
    owner: Owner,
    principal: Principal,
    { stateless, connection }: Pick<OpenConnection, 'stateless' | 'connection'>,
  ): Promise<void> {
    connection.probed = true;
    const versions = await probeVersions(stateless);
    if (versions.length > 0) {
      connection.probed = false;
      this.#versions = versions;
      return;
    }
    const { answered, over } = stateless;
    this.#end(owner, stateless, 'session_ended');
    const now = performance.now();
    if (answered) {
      if (this.#versions === undefined) this.#sessionsOnlyUntil = now + SESSIONS_ONLY_FOR_MS;
    } else if (over !== undefined && (over !== 'child_exited' || this.#versions)) {
      throw new BridgeError(over);
    } else this.#silentUntil.set(principal, now + SILENT_FOR_MS);
    throw new BridgeError('legacy_server');
  }

  #gone(owner: Owner, stateless: StatelessConnection): void {
    const caller = this.#running.get(owner)?.caller;
    if (!this.#forget(owner, stateless) || this.#closed || !stateless.answered) return;
    // The connection of one anonymous request has no more requests to serve.
    if (caller === undefined || typeof owner !== 'string' || isOver(caller.auth)) return;
    this.restarts++;
    try {
      this.#start(owner, owner, caller);
    } catch {
      // No request waits for it: the next request of the principal tries again, and gets the error.
    }
  }

  #end(owner: Owner, stateless: StatelessConnection, reason: BridgeErrorCode): void {
    if (this.#forget(owner, stateless)) void stateless.end(reason);
  }

  #forget(owner: Owner, stateless: StatelessConnection): boolean {
    const running = this.#running.get(owner);
    if (running?.stateless !== stateless) return false;
    this.#running.delete(owner);
    running.lease.release();
    return true;
  }
}

/**
 * Asks a server with `server/discover` which revisions without sessions it speaks. Returns none for any answer that these revisions
 * do not define (2026-07-28, stdio, Backward Compatibility), for silence and for a connection that breaks. The last two may have a cause
 * in this one connection, such as its user's environment.
 */
async function probeVersions(stateless: StatelessConnection): Promise<readonly string[]> {
  const { result, error } = await requestFromServer(stateless, 'server/discover', {}, PROBE_MS);
  const versions = result?.supportedVersions ?? (error?.code === -32022 ? error.data?.supported : undefined);
  return Array.isArray(versions) ? versions.filter((version) => !SESSION_REVISIONS.has(version)) : [];
}
