import { ownSessionIds } from '../../core/own-sessions.js';
import type { Principal } from '../../core/principal.js';
import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import type { LeasedConnections } from '../../targets/leased-connections.js';
import { callTracer } from '../../telemetry/call-tracer.js';
import type { ResolvedBridge } from '../bridge-options.js';
import type { BridgeRequest } from '../bridge-request.js';
import { isAbandoned } from '../idle-time.js';
import { Session } from './session.js';

/** All sessions of one backend, by id. */
export class Sessions {
  readonly #options: ResolvedBridge;
  readonly #connections: LeasedConnections;
  readonly #byId = new Map<string, Session>();

  constructor(options: ResolvedBridge, connections: LeasedConnections) {
    this.#options = options;
    this.#connections = connections;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** The sessions whose ids clients know. */
  get live(): readonly Session[] {
    return [...this.#byId.values()].filter(({ isInitialized }) => isInitialized);
  }

  get pending(): number {
    let sum = 0;
    for (const session of this.#byId.values()) sum += session.pending;
    return sum;
  }

  /** True while a client can be expected to come back for an answer, or takes it. */
  isAwaited(now: number): boolean {
    for (const { streams } of this.#byId.values()) if (streams.isAwaited(now)) return true;
    return false;
  }

  /**
   * Opens a session with its own connection.
   *
   * @throws {BridgeError} If a limit is reached.
   */
  open(request: BridgeRequest): Session {
    const since = performance.now();
    const leased = this.#connections.take(request);
    const { lease } = leased;
    const session = new Session(request, leased, this.#options, () => {
      this.#byId.delete(session.id);
      ownSessionIds.delete(session.id);
      lease.release();
      callTracer.current?.recordSession?.(performance.now() - since, session.revision);
    });
    this.#byId.set(session.id, session);
    ownSessionIds.add(session.id);
    lease.occupy(session, () => session.end('session_ended'));
    return session;
  }

  /**
   * Finds the session with this id.
   *
   * @throws {BridgeError} `unknown_session`, even if it exists and belongs to another principal.
   */
  find(id: string, principal: Principal): Session {
    const session = this.#byId.get(id);
    if (session === undefined || session.principal !== principal) throw new BridgeError('unknown_session');
    return session;
  }

  /** Counts a request as arriving at this session for as long as `work` takes, so that the session is in use meanwhile. */
  async countArriving<T>(id: string | undefined, principal: Principal, work: () => Promise<T>): Promise<T> {
    const session = this.#byId.get(id ?? '');
    if (session?.principal !== principal) return work();
    session.arriving++;
    try {
      return await work();
    } finally {
      session.arriving--;
    }
  }

  /** `Connection.whenWritable()` of this session's connection; undefined if there is no such session. */
  whenWritable(id: string, principal: Principal, since: number, bytes: number): Promise<void> | undefined {
    const session = this.#byId.get(id);
    if (session?.principal !== principal) return undefined;
    // A request counts as use of the session even before its body has arrived.
    session.lastUsed = performance.now();
    return session.whenWritable(since, bytes);
  }

  /** Called every second, for timeouts, keep-alive comments, expired tokens and idle sessions. Returns true if a request has timed out. */
  tick(now: number, keepAlive: boolean): boolean {
    const { startTimeoutSeconds } = this.#options;
    let isLate = false;
    for (const session of [...this.#byId.values()]) {
      if (session.isLate(now, startTimeoutSeconds * 1_000)) session.endLate(startTimeoutSeconds);
      isLate = session.tick(now, keepAlive, this.#options.requestTimeoutSeconds * 1_000) || isLate;
      if (session.isInUse) session.lastUsed = now;
      else if (isAbandoned(session, now, this.#options)) session.end('session_ended');
    }
    return isLate;
  }

  /** Ends the connections on which clients only listen, except in sessions in which a request is in flight. */
  pauseStreams(): void {
    for (const session of this.#byId.values()) if (!session.hasCalls) session.streams.standalone.pause();
  }

  endAll(reason: BridgeErrorCode): void {
    for (const session of [...this.#byId.values()]) session.end(reason);
  }
}
