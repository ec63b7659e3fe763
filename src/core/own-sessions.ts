import type { IncomingMessage } from 'node:http';
import { createPerRequest } from './per-request.js';
import type { SessionOwner } from './session-owner.js';
import type { SessionSigner } from './session-signer.js';
import { shareValue } from './shared-state.js';

/** What an `mcpAuth()` that signs session ids knows of a request. */
export interface SignedSession {
  /** The one that also signs the ids of the answer. */
  readonly signer: SessionSigner;
  /** The id as the client sent it; undefined where the request names no session. */
  readonly presented: string | undefined;
  /** The server's own id, which `presented` is the signed form of. */
  readonly id: string | undefined;
}

/** What is noted of a request whose session ids are signed: one note for all `mcpAuth()` that it comes through. */
export interface SessionNote {
  /** One of our backends answers it, which keeps the owners of its sessions itself. */
  isOwn: boolean;
  /** Of the last `mcpAuth()` that signs. */
  signed: SignedSession | undefined;
}

const notes = shareValue('sessionNotes', createPerRequest<SessionNote>);

/** The note of a request, made where there is none. */
export function takeSessionNote(req: IncomingMessage): SessionNote {
  const known = notes.get(req);
  if (known !== undefined) return known;
  const note: SessionNote = { isOwn: false, signed: undefined };
  notes.set(req, note);
  return note;
}

/** Says that one of our backends answers this request, so that no `mcpAuth()` signs the id which the answer has. */
export function markOwnSessions(req: IncomingMessage): void {
  const note = notes.get(req);
  if (note !== undefined) note.isOwn = true;
}

/** What the last `mcpAuth()` that signs session ids verified of this request. */
export function signedSessionOf(req: IncomingMessage): SignedSession | undefined {
  return notes.get(req)?.signed;
}

/** The server's own id of the session that the request names, where an `mcpAuth()` verified its signature and took it off. */
export function verifiedSessionOf(req: IncomingMessage): string | undefined {
  return signedSessionOf(req)?.id;
}

/**
 * The live sessions of our own backends in this process, by the ids that clients have. Such a backend checks their owners itself, and
 * its ids need no signature.
 */
export const ownSessionIds: Set<string> = shareValue('ownSessionIds', () => new Set());

/** The live sessions of our own backends whose ids a remote server chose, together with their owners: another server may have chosen the same id. */
const ownedSessions: Set<string> = shareValue('ownedSessions', () => new Set());

/**
 * Stores that a backend checks the owner of this session itself.
 *
 * @param id The id that the client knows.
 */
export function addOwnedSession(id: string, owner: SessionOwner): void {
  ownedSessions.add(keyOf(id, owner));
}

export function deleteOwnedSession(id: string, owner: SessionOwner): void {
  ownedSessions.delete(keyOf(id, owner));
}

export function isOwnedSession(id: string, owner: SessionOwner): boolean {
  return ownedSessions.has(keyOf(id, owner));
}

// A header has no line ends, so that no other id and owner give the same text.
function keyOf(id: string, owner: SessionOwner): string {
  return `${id}\n${owner}`;
}
