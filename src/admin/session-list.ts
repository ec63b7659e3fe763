import { createHmac, randomBytes } from 'node:crypto';
import type { LiveSession } from '../bridge/backend-facts.js';
import { AdminError } from './admin-error.js';
import type { AdminRoute } from './admin-source.js';

/** A session as the page shows it. */
interface ShownSession {
  readonly id: string;
  readonly route: string;
  readonly user: string | undefined;
  readonly issuer: string | undefined;
  readonly client: string | undefined;
  readonly openedAt: number;
  readonly lastUsedAt: number;
  readonly inUse: boolean;
}

/**
 * Creates the function that returns the handle of a session, which the page shows in place of the id: with the id of an anonymous caller's
 * session, an operator could take it over.
 */
export function createHandles(): (sessionId: string) => string {
  const key = randomBytes(32);
  return (sessionId) => createHmac('sha256', key).update(sessionId).digest('base64url').slice(0, 22);
}

export function listSessions(
  routes: readonly AdminRoute[],
  handleOf: (sessionId: string) => string,
): readonly ShownSession[] {
  const timeOrigin = Date.now() - performance.now();
  return routes.flatMap((route) =>
    [...route.sessions()].map(({ id, caller, openedAt, lastUsed, isInUse }) => ({
      id: handleOf(id),
      route: route.id,
      ...caller,
      openedAt,
      lastUsedAt: Math.round(timeOrigin + lastUsed),
      inUse: isInUse,
    })),
  );
}

/** Ends the session with this handle. */
export function endSessionOf(
  routes: readonly AdminRoute[],
  handleOf: (sessionId: string) => string,
  handle: string,
): void {
  const sessions = routes.flatMap((route): LiveSession[] => [...route.sessions()]);
  const found = sessions.filter(({ id }) => handleOf(id) === handle);
  if (found.length === 0) throw new AdminError(404, 'unknown_session', 'This session has ended already');
  for (const session of found) session.endNow();
}
