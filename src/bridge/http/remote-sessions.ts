import { addOwnedSession, deleteOwnedSession, verifiedSessionOf } from '../../core/own-sessions.js';
import { type Lease, type Occupant, Quota, type QuotaRefusal } from '../../core/quota.js';
import { isSessionId, type SessionOwner, sessionOwnerOf } from '../../core/session-owner.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { createCapRefusal } from '../../messages/cap-refusal.js';
import { sessionSignerOf } from '../../oauth/refusal.js';
import type { ResolvedHttp } from './http-options.js';
import type { HttpRequest } from './http-request.js';
import type { HeaderRecord } from './read-http-options.js';

/** Of what clients and targets send, a longer id is none. */
const MAX_ID_LENGTH = 1_024;

/** A session at the target, and who it belongs to. */
export class RemoteSession implements Occupant {
  readonly id: string;
  /** Its id as the client has it. */
  readonly clientId: string;
  readonly owner: SessionOwner;
  /** Of the last request: with them, the target lets us end it. */
  callerHeaders: HeaderRecord;
  lastUsed = performance.now();
  /** Requests that are not over, streams among them. */
  #open = 0;

  constructor(id: string, clientId: string, owner: SessionOwner, callerHeaders: HeaderRecord = new Map()) {
    this.id = id;
    this.clientId = clientId;
    this.owner = owner;
    this.callerHeaders = callerHeaders;
  }

  /** True if its id comes signed, so that every replica can serve it. */
  get isSigned(): boolean {
    return this.id !== this.clientId;
  }

  get attended(): boolean {
    return this.#open > 0;
  }

  /** A request begins. */
  enter(): void {
    this.#open++;
    this.lastUsed = performance.now();
  }

  /** It is over. */
  leave(): void {
    this.#open--;
    this.lastUsed = performance.now();
  }
}

/** The sessions of one target that this process knows. Each belongs to the caller to whom the target handed its id out. */
export class RemoteSessions {
  readonly #options: ResolvedHttp;
  readonly #quota: Quota;
  readonly #refusalOf: (refusal: QuotaRefusal) => BridgeError;
  readonly #byId = new Map<string, { readonly session: RemoteSession; readonly lease: Lease }>();
  readonly #byClientId = new Map<string, RemoteSession>();
  readonly #end: (session: RemoteSession) => void;

  /** `end` ends a session at the target that was forgotten here. */
  constructor(options: ResolvedHttp, end: (session: RemoteSession) => void) {
    this.#options = options;
    this.#quota = new Quota(options);
    this.#refusalOf = createCapRefusal('mcpHttpBackend()', options.logger);
    this.#end = end;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** The session that a request names, if it names one; refuses one that is unknown or somebody else's. */
  named(request: HttpRequest): RemoteSession | undefined {
    const { req, auth } = request;
    const given = req.headers['mcp-session-id']?.toString();
    if (given === undefined) return undefined;
    const owner = sessionOwnerOf(req, auth);
    const known = this.#byClientId.get(given);
    return known?.owner === owner ? known : this.#verified(given, owner, request);
  }

  /** A signature says whose the session is: it may have been opened through another replica, or before a restart. */
  #verified(given: string, owner: SessionOwner, request: HttpRequest): RemoteSession {
    const signer = sessionSignerOf(request.req);
    const id = verifiedSessionOf(request.req) ?? signer?.verify(given, owner);
    if (signer === undefined || id === undefined) throw new BridgeError('unknown_session');
    const known = this.#byId.get(id)?.session;
    if (known === undefined) return this.#add(new RemoteSession(id, signer.sign(id, owner), owner), request);
    if (known.owner !== owner) throw new BridgeError('unknown_session');
    return known;
  }

  /** The session whose id a response hands out to the caller of `request`, which named none, or another one. */
  handedOut(id: string, request: HttpRequest, callerHeaders: HeaderRecord | undefined): RemoteSession {
    if (id.length > MAX_ID_LENGTH || !isSessionId(id)) throw unusable('the session id cannot stand in a header');
    const owner = sessionOwnerOf(request.req, request.auth);
    const known = this.#byId.get(id)?.session;
    if (known !== undefined) {
      if (known.owner !== owner) throw unusable('the session id is that of another caller');
      return known;
    }
    const clientId = sessionSignerOf(request.req)?.sign(id, owner) ?? id;
    const session = new RemoteSession(id, clientId, owner, callerHeaders);
    try {
      return this.#add(session, request);
    } catch (error) {
      // No client will ever name it.
      this.#end(session);
      throw error;
    }
  }

  /** The target has ended it. */
  forget(session: RemoteSession): void {
    const { id, clientId, owner } = session;
    const entry = this.#byId.get(id);
    // Forgotten before; the target may have handed the same id out again, perhaps to another caller.
    if (entry?.session !== session) return;
    this.#byId.delete(id);
    this.#byClientId.delete(clientId);
    deleteOwnedSession(clientId, owner);
    entry.lease.release();
    entry.lease.gone();
  }

  /** Lets time pass. */
  tick(now: number): void {
    for (const { session } of [...this.#byId.values()]) {
      if (session.attended || now - session.lastUsed < this.#options.idleTimeoutSeconds * 1_000) continue;
      this.forget(session);
      // Of a signed one, another replica may have an open stream.
      if (!session.isSigned) this.#end(session);
    }
  }

  /** Ends what no other process could serve. */
  endAll(): void {
    for (const { session } of [...this.#byId.values()]) {
      this.forget(session);
      if (!session.isSigned) this.#end(session);
    }
  }

  #add(session: RemoteSession, request: HttpRequest): RemoteSession {
    const lease = this.#quota.take(request);
    if ('cap' in lease) throw this.#refusalOf(lease);
    this.#byId.set(session.id, { session, lease });
    this.#byClientId.set(session.clientId, session);
    addOwnedSession(session.clientId, session.owner);
    lease.occupy(session, () => {
      this.forget(session);
      this.#end(session);
    });
    return session;
  }
}

function unusable(detail: string): BridgeError {
  return new BridgeError('target_malformed', { detail });
}
