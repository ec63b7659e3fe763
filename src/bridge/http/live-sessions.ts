import type { LiveSession } from '../backend-facts.js';
import type { Relays } from './relays.js';
import type { RemoteSession, RemoteSessions } from './remote-sessions.js';

/** Returns the sessions of an `mcpHttpBackend()`, with the function that ends each of them and its requests in flight. */
export function liveSessionsOf(sessions: RemoteSessions, relays: Relays): readonly LiveSession[] {
  return sessions.all.map((session) => liveSession(session, sessions, relays));
}

function liveSession(session: RemoteSession, sessions: RemoteSessions, relays: Relays): LiveSession {
  const { clientId: id, caller, openedAt, lastUsed, isInUse } = session;
  return {
    id,
    caller,
    openedAt,
    lastUsed,
    isInUse,
    endNow() {
      relays.endOf(session);
      sessions.end(session);
    },
  };
}
