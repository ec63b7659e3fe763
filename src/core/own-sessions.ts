import type { IncomingMessage } from 'node:http';
import { createPerRequest } from './per-request.js';
import type { SessionOwner } from './session-owner.js';
import type { SessionSigner } from './session-signer.js';
import { shareValue } from './shared-state.js';

/** The facts about a request that an `mcpAuth()` which signs session ids has found. */
export interface SignedSession {
  /** It also signs the ids in the answer. */
  readonly signer: SessionSigner;
  /** The id as the client sent it; undefined if the request names no session. */
  readonly presented: string | undefined;
  /** The server's own id: `presented` without its signature. */
  readonly id: string | undefined;
}

/** State of a request whose session ids are signed, shared by all `mcpAuth()` that handle it. */
export interface SessionNote {
  /** True if one of our backends answers the request. It checks the owners of its sessions itself. */
  isOwn: boolean;
  /** Set by the last `mcpAuth()` that signs. */
  signed: SignedSession | undefined;
}

const notes = shareValue('sessionNotes', createPerRequest<SessionNote>);

/** Returns the note of a request. Creates it if there is none. */
export function sessionNoteFor(req: IncomingMessage): SessionNote {
  const known = notes.get(req);
  if (known !== undefined) return known;
  const note: SessionNote = { isOwn: false, signed: undefined };
  notes.set(req, note);
  return note;
}

/** Notes that one of our backends answers this request, so that no `mcpAuth()` signs the session id in the answer. */
export function markOwnSessions(req: IncomingMessage): void {
  const note = notes.get(req);
  if (note !== undefined) note.isOwn = true;
}

/** Returns what the last `mcpAuth()` that signs session ids knows about this request. */
export function signedSessionOf(req: IncomingMessage): SignedSession | undefined {
  return notes.get(req)?.signed;
}

/** Returns the server's own id of the session that the request names, if an `mcpAuth()` verified and removed its signature. */
export function verifiedSessionOf(req: IncomingMessage): string | undefined {
  return signedSessionOf(req)?.id;
}

/**
 * The live sessions of our own backends in this process, by the ids that clients have. Such a backend checks their owners itself, and
 * its ids need no signature.
 */
export const ownSessionIds: Set<string> = shareValue('ownSessionIds', () => new Set());

/** The owners of the live sessions of our own backends whose ids a remote server chose. Two servers may choose the same id. */
const remoteSessionOwners: Map<string, Set<SessionOwner>> = shareValue('ownedSessions', () => new Map());

/**
 * Stores that a backend checks the owner of this session itself.
 *
 * @param id The id that the client knows.
 */
export function addRemoteSessionOwner(id: string, owner: SessionOwner): void {
  const owners = remoteSessionOwners.get(id);
  if (owners === undefined) remoteSessionOwners.set(id, new Set([owner]));
  else owners.add(owner);
}

export function deleteRemoteSessionOwner(id: string, owner: SessionOwner): void {
  const owners = remoteSessionOwners.get(id);
  owners?.delete(owner);
  if (owners?.size === 0) remoteSessionOwners.delete(id);
}

export function isRemoteSessionOwner(id: string, owner: SessionOwner): boolean {
  return remoteSessionOwners.get(id)?.has(owner) === true;
}
