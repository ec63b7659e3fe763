import type { Advice } from '../../core/advice.js';
import type { AuthInfo } from '../../core/auth-info.js';
import { addRemoteSessionOwner, deleteRemoteSessionOwner, verifiedSessionOf } from '../../core/own-sessions.js';
import { type Lease, type Occupant, Quota, type QuotaRefusal } from '../../core/quota.js';
import { type SessionOwner, sessionOwnerOf } from '../../core/session-owner.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { createCapRefusal } from '../../messages/cap-refusal.js';
import { sessionSignerOf } from '../../oauth/refusal.js';
import type { HeaderRecord } from '../../targets/http/exchange.js';
import { isUsableId, requireUsableId } from '../../targets/http/target-session.js';
import { callTracer } from '../../telemetry/call-tracer.js';
import { type SessionCaller, sessionCallerOf } from '../backend-facts.js';
import { EvictedSessions } from './evicted-sessions.js';
import type { ResolvedHttp } from './http-options.js';
import type { HttpRequest } from './http-request.js';
import { createUnknownSession } from './unknown-session.js';

/** The caller of a request, and the headers that told the target so. */
export interface SessionSender {
  readonly auth: AuthInfo | undefined;
  readonly headers: HeaderRecord;
  /** The revision that the request named; undefined if it named none. */
  readonly revision?: string | undefined;
}

const ANONYMOUS: SessionSender = { auth: undefined, headers: new Map() };

/** A session at the target, with its owner. */
export class RemoteSession implements Occupant {
  readonly id: string;
  /** The id that the client knows: signed, if the policy has a secret. */
  readonly clientId: string;
  readonly owner: SessionOwner;
  readonly openedAt = Date.now();
  /** Empty until the session is one of those that this process knows. */
  caller: SessionCaller = sessionCallerOf(undefined);
  #sender: SessionSender;
  /** The time at which this process saw the session first, on the clock of `performance.now()`. */
  readonly since = performance.now();
  lastUsed = performance.now();
  /** The number of requests in flight, including streams. */
  #open = 0;

  constructor(id: string, clientId: string, owner: SessionOwner, sender: SessionSender = ANONYMOUS) {
    this.id = id;
    this.clientId = clientId;
    this.owner = owner;
    this.#sender = sender;
  }

  /** The caller of the last request, the headers that said so, and the last revision that one named. The target needs them to end the session. */
  get sender(): SessionSender {
    return this.#sender;
  }

  noteSender(sender: SessionSender): void {
    this.#sender = { ...sender, revision: sender.revision ?? this.#sender.revision };
  }

  /** True if the client's id is signed, so that other replicas can serve the session. */
  get isSigned(): boolean {
    return this.id !== this.clientId;
  }

  get isInUse(): boolean {
    return this.#open > 0;
  }

  /** Counts a request that begins. */
  enter(): void {
    this.#open++;
    this.lastUsed = performance.now();
  }

  /** Counts a request that is over. */
  leave(): void {
    this.#open--;
    this.lastUsed = performance.now();
  }
}

/** The sessions of one target that this process knows. A session belongs to the caller who got its id from the target. */
export class RemoteSessions {
  readonly #options: ResolvedHttp;
  readonly #quota: Quota;
  readonly #refusalOf: (refusal: QuotaRefusal) => BridgeError;
  readonly #byId = new Map<string, { readonly session: RemoteSession; readonly lease: Lease }>();
  readonly #byClientId = new Map<string, RemoteSession>();
  readonly #end: (session: RemoteSession) => void;
  readonly #evicted: EvictedSessions<RemoteSession>;
  readonly #unknown: ReturnType<typeof createUnknownSession>;

  /** @param end Ends a session at the target. */
  constructor(options: ResolvedHttp, advice: Pick<Advice, 'names'>, end: (session: RemoteSession) => void) {
    this.#options = options;
    this.#quota = new Quota(options);
    this.#refusalOf = createCapRefusal('mcpHttpBackend()', options.logger, advice);
    this.#end = end;
    this.#evicted = new EvictedSessions(options, end);
    this.#unknown = createUnknownSession('mcpHttpBackend()', options);
  }

  get size(): number {
    return this.#byId.size;
  }

  /** The sessions that this process knows. */
  get all(): readonly RemoteSession[] {
    return [...this.#byId.values()].map(({ session }) => session);
  }

  /**
   * Returns the session that a request names; undefined if it names none.
   *
   * @throws {BridgeError} If the session is unknown, or belongs to another caller.
   */
  named(request: HttpRequest): RemoteSession | undefined {
    const { req, auth } = request;
    const given = req.headers['mcp-session-id']?.toString();
    if (given === undefined) return undefined;
    const owner = sessionOwnerOf(req, auth);
    const known = this.#byClientId.get(given);
    if (known?.owner === owner) return known;
    const verified = this.#verified(given, owner, request);
    if (verified !== undefined) return verified;
    const cause = sessionSignerOf(req) === undefined ? 'unknown' : 'unsigned';
    throw this.#unknown(known === undefined ? cause : 'foreign', req);
  }

  /** Returns the session by the signature of its id: another replica may have opened it, or this one before a restart. */
  #verified(given: string, owner: SessionOwner, request: HttpRequest): RemoteSession | undefined {
    const signer = sessionSignerOf(request.req);
    const id = verifiedSessionOf(request.req) ?? signer?.verify(given, owner);
    if (signer === undefined || id === undefined) return undefined;
    const known = this.#byId.get(id)?.session;
    if (known === undefined) return this.#add(new RemoteSession(id, signer.sign(id, owner), owner), request);
    return known.owner === owner ? known : undefined;
  }

  /**
   * Returns the session whose id is in the target's response to `request`.
   *
   * @throws {BridgeError} If a limit is reached, or the id cannot be used.
   */
  assigned(id: string, request: HttpRequest, sender?: SessionSender): RemoteSession {
    requireUsableId(id);
    const owner = sessionOwnerOf(request.req, request.auth);
    const known = this.#byId.get(id)?.session;
    if (known !== undefined) {
      if (known.owner === owner) return known;
      throw new BridgeError('target_malformed', { detail: 'the session id is that of another caller' });
    }
    const clientId = sessionSignerOf(request.req)?.sign(id, owner) ?? id;
    const session = new RemoteSession(id, clientId, owner, sender);
    try {
      return this.#add(session, request);
    } catch (error) {
      // The client does not learn its id, so it would stay open at the target.
      this.#end(session);
      throw error;
    }
  }

  /** Ends a session whose id does not reach its client. */
  endUnassigned(id: string, { req, auth }: HttpRequest, sender?: SessionSender): void {
    if (!isUsableId(id) || this.#byId.has(id)) return;
    this.#end(new RemoteSession(id, id, sessionOwnerOf(req, auth), sender));
  }

  /** Removes a session that has ended at the target. */
  forget(session: RemoteSession): void {
    const { id, clientId, owner } = session;
    const entry = this.#byId.get(id);
    // Removed before: the target may have assigned the same id again, perhaps to another caller.
    if (entry?.session !== session) return;
    this.#byId.delete(id);
    this.#byClientId.delete(clientId);
    deleteRemoteSessionOwner(clientId, owner);
    entry.lease.release();
    entry.lease.gone();
    callTracer.current?.recordSession?.(performance.now() - session.since);
  }

  /** Ends a session here and at the target. */
  end(session: RemoteSession): void {
    this.forget(session);
    this.#end(session);
  }

  /** Ends idle sessions; called regularly. */
  tick(now: number): void {
    const idleMs = this.#options.idleTimeoutSeconds * 1_000;
    this.#evicted.forgetUnused(now - idleMs);
    for (const { session } of [...this.#byId.values()]) {
      if (session.isInUse || now - session.lastUsed < idleMs) continue;
      this.forget(session);
      // Another replica may have a stream of a signed session.
      if (!session.isSigned) this.#end(session);
    }
  }

  /** Forgets all sessions, and ends those that no other process can serve. */
  endAll(): void {
    for (const { session } of [...this.#byId.values()]) {
      this.forget(session);
      if (!session.isSigned) this.#end(session);
    }
  }

  #add(session: RemoteSession, request: HttpRequest): RemoteSession {
    const { auth, isChecked } = request;
    // Before another session makes room, which could end this one.
    const evicted = this.#evicted.forget(session.id);
    const lease = this.#quota.take(request);
    if ('cap' in lease) {
      if (evicted !== undefined) this.#evicted.add(evicted, { auth, isChecked });
      throw this.#refusalOf(lease);
    }
    session.caller = sessionCallerOf(auth);
    this.#byId.set(session.id, { session, lease });
    this.#byClientId.set(session.clientId, session);
    addRemoteSessionOwner(session.clientId, session.owner);
    lease.occupy(session, () => {
      this.forget(session);
      if (session.isSigned) this.#evicted.add(session, { auth, isChecked });
      else this.#end(session);
    });
    return session;
  }
}
