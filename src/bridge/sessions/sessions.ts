import { ownSessionIds } from '../../core/own-sessions.js';
import type { Principal } from '../../core/principal.js';
import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';
import type { ChildSource } from '../../targets/stdio/child-source.js';
import type { BridgeRequest } from '../bridge-request.js';
import { isAbandoned } from '../idle-time.js';
import type { ResolvedStdio } from '../stdio-options.js';
import { Session } from './session.js';

/** All sessions of one backend, by id. */
export class Sessions {
  readonly #options: ResolvedStdio;
  readonly #children: ChildSource;
  readonly #byId = new Map<string, Session>();

  constructor(options: ResolvedStdio, children: ChildSource) {
    this.#options = options;
    this.#children = children;
  }

  get size(): number {
    return this.#byId.size;
  }

  get pending(): number {
    let sum = 0;
    for (const session of this.#byId.values()) sum += session.pending;
    return sum;
  }

  /** Opens a session with a child of its own; refuses what is over a cap. */
  open(request: BridgeRequest): Session {
    const { child, share } = this.#children.take(request);
    const session = new Session(request, child, this.#options.maxPendingRequests, () => {
      this.#byId.delete(session.id);
      ownSessionIds.delete(session.id);
      share.release();
    });
    this.#byId.set(session.id, session);
    ownSessionIds.add(session.id);
    share.occupy(session, () => session.end('session_ended'));
    return session;
  }

  /** The session with this id, if it belongs to `principal`; what belongs to others is unknown. */
  find(id: string, principal: Principal): Session {
    const session = this.#byId.get(id);
    if (session === undefined || session.principal !== principal) throw new BridgeError('unknown_session');
    return session;
  }

  /** Counts the session among those in use for as long as `work` takes: a request to it is on its way. */
  async attend<T>(id: string | undefined, principal: Principal, work: () => Promise<T>): Promise<T> {
    const session = this.#byId.get(id ?? '');
    if (session?.principal !== principal) return work();
    session.arriving++;
    try {
      return await work();
    } finally {
      session.arriving--;
    }
  }

  /** `Child.ready()` of this session's child, if there is one. */
  ready(id: string, principal: Principal, since: number, bytes: number): Promise<void> | undefined {
    const session = this.#byId.get(id);
    if (session?.principal !== principal) return undefined;
    // A request whose body is on its way is one already.
    session.lastUsed = performance.now();
    return session.ready(since, bytes);
  }

  /** Lets time pass for all of them: timeouts, keep-alive comments, expired tokens, idle sessions. */
  tick(now: number, keepAlive: boolean): void {
    const { startTimeoutSeconds } = this.#options;
    for (const session of [...this.#byId.values()]) {
      if (session.isLate(now, startTimeoutSeconds * 1_000)) session.endLate(startTimeoutSeconds);
      session.tick(now, keepAlive, this.#options.requestTimeoutSeconds * 1_000);
      if (session.attended) session.lastUsed = now;
      else if (isAbandoned(session, now, this.#options)) session.end('session_ended');
    }
  }

  endAll(reason: BridgeErrorCode): void {
    for (const session of [...this.#byId.values()]) session.end(reason);
  }
}
