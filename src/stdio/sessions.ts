import { randomUUID } from 'node:crypto';
import type { AuthInfo } from '../auth-info.js';
import { BridgeError, type BridgeErrorCode } from './bridge-error.js';
import type { ChildSource } from './child-source.js';
import type { Principal } from './principal.js';
import { Session } from './session.js';

/** What bounds the sessions of one backend. */
export interface SessionLimits {
  readonly maxSessions: number;
  readonly maxSessionsPerUser: number;
  readonly maxPendingRequests: number;
  readonly idleMs: number;
  readonly expiryGraceMs: number;
  readonly requestTimeoutMs: number;
}

/** All sessions of one backend, by id. */
export class Sessions {
  readonly #limits: SessionLimits;
  readonly #children: ChildSource;
  readonly #byId = new Map<string, Session>();
  readonly #perUser = new Map<Principal, number>();

  constructor(limits: SessionLimits, children: ChildSource) {
    this.#limits = limits;
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
  open(principal: Principal, auth: AuthInfo | undefined): Session {
    const { maxSessions, maxSessionsPerUser, maxPendingRequests } = this.#limits;
    if (this.#byId.size >= maxSessions) throw new BridgeError('too_many_sessions');
    const own = this.#perUser.get(principal) ?? 0;
    if (auth !== undefined && own >= maxSessionsPerUser) throw new BridgeError('too_many_sessions_of_user');
    const child = this.#children.take(auth);
    const session = new Session({
      id: randomUUID(),
      principal,
      child,
      maxPending: maxPendingRequests,
      onEnd: (ended) => this.#forget(ended),
    });
    this.#byId.set(session.id, session);
    this.#perUser.set(principal, own + 1);
    return session;
  }

  /** The session with this id, if it belongs to `principal`; what belongs to others is unknown. */
  find(id: string, principal: Principal): Session {
    const session = this.#byId.get(id);
    if (session === undefined || session.principal !== principal) throw new BridgeError('unknown_session');
    return session;
  }

  /** Lets time pass for all of them: timeouts, keep-alive comments, expired tokens, idle sessions. */
  tick(now: number, keepAlive: boolean): void {
    const { idleMs, expiryGraceMs, requestTimeoutMs } = this.#limits;
    for (const session of [...this.#byId.values()]) {
      session.tick(now, keepAlive, requestTimeoutMs);
      if (session.attended) continue;
      const abandoned = now - Math.max(session.expiresAt, session.lastUsed) >= expiryGraceMs;
      if (now - session.lastUsed >= idleMs || abandoned) session.end('session_ended');
    }
  }

  endAll(reason: BridgeErrorCode): void {
    for (const session of [...this.#byId.values()]) session.end(reason);
  }

  #forget(session: Session): void {
    if (!this.#byId.delete(session.id)) return;
    const left = (this.#perUser.get(session.principal) ?? 1) - 1;
    if (left === 0) this.#perUser.delete(session.principal);
    else this.#perUser.set(session.principal, left);
  }
}
