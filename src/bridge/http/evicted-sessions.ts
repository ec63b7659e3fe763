import { type Caller, type Lease, type Limits, type Occupant, Quota } from '../../core/quota.js';

/**
 * The signed sessions that have made room for others in this process. Another replica may have a client's stream of one, so it stays open
 * at the target. The same limits apply to these once more, so that callers cannot open any number at the target: beyond the limits, the one
 * whose last request is longest ago ends.
 */
export class EvictedSessions<Session extends Occupant & { readonly id: string }> {
  readonly #quota: Quota;
  readonly #end: (session: Session) => void;
  readonly #byId = new Map<string, { readonly session: Session; readonly lease: Lease }>();

  /** @param end Ends a session at the target. */
  constructor(limits: Limits, end: (session: Session) => void) {
    this.#quota = new Quota(limits);
    this.#end = end;
  }

  add(session: Session, caller: Caller): void {
    const lease = this.#quota.take(caller);
    if ('cap' in lease) {
      this.#end(session);
      return;
    }
    this.#byId.set(session.id, { session, lease });
    lease.occupy(session, () => {
      this.forget(session.id);
      this.#end(session);
    });
  }

  /** Forgets a session, because this process uses it again. Returns it; undefined if it is not one of these. */
  forget(id: string): Session | undefined {
    const { session, lease } = this.#byId.get(id) ?? {};
    this.#byId.delete(id);
    lease?.release();
    lease?.gone();
    return session;
  }

  /** Forgets the sessions whose last request came before `time`: such sessions are no longer counted anywhere. */
  forgetUnused(time: number): void {
    for (const [id, { session }] of this.#byId) if (session.lastUsed <= time) this.forget(id);
  }
}
