import type { IncomingMessage } from 'node:http';
import { createPerRequest } from './per-request.js';
import type { SessionSigner } from './session-signer.js';
import { shareValue } from './shared-state.js';

const marks = shareValue('ownSessions', createPerRequest<true>);

/** Says that one of our backends answers this request: it keeps the owners of its sessions itself. */
export function markOwnSessions(req: IncomingMessage): void {
  marks.set(req, true);
}

export function hasOwnSessions(req: IncomingMessage): boolean {
  return marks.get(req) === true;
}

/**
 * The live sessions of our own backends in this process, by the ids that clients have. Such a backend checks their owners itself, and
 * its ids need no signature.
 */
export const ownSessionIds: Set<string> = shareValue('ownSessionIds', () => new Set());

/** What an `mcpAuth()` that signs session ids knows of a request that names a session, or may open one. */
export interface SignedSession {
  /** The one that also signs the ids of the answer. */
  readonly signer: SessionSigner;
  /** The id as the client sent it; undefined where the request names no session. */
  readonly presented: string | undefined;
  /** The server's own id, which `presented` is the signed form of. */
  readonly id: string | undefined;
}

const signedSessions = shareValue('signedSessions', createPerRequest<SignedSession>);

/** Notes that session ids of this request are signed, and that its header has the server's own id again. */
export function noteSignedSession(req: IncomingMessage, session: SignedSession): void {
  signedSessions.set(req, session);
}

export function signedSessionOf(req: IncomingMessage): SignedSession | undefined {
  return signedSessions.get(req);
}

/** The server's own id of the session that the request names, where an `mcpAuth()` verified its signature and took it off. */
export function verifiedSessionOf(req: IncomingMessage): string | undefined {
  return signedSessionOf(req)?.id;
}
