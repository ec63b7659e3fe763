import type { IncomingMessage } from 'node:http';
import { rawPath, requestTarget } from '../http/request-target.js';
import type { AuthInfo } from './auth-info.js';
import { createCallerValues } from './caller-values.js';
import { foldPath, identityOf } from './principal.js';

/** The owner of a session of a server behind `mcpAuth()`, as one string to compare: issuer, user, client and path. */
export type SessionOwner = string;

/** The last owner that each caller was found to be: most requests of one caller have the same path. */
const lastOwners = createCallerValues<{ readonly target: string; readonly owner: SessionOwner }>();

/**
 * Returns the owner of the session that `req` opens or names. It contains the whole path, and not the mount as in `principalOf()`, so
 * that `mcpAuth()` on the root and a backend on `/mcp` get the same owner.
 */
export function sessionOwnerOf(req: IncomingMessage, auth: AuthInfo | undefined): SessionOwner {
  return sessionOwnerAt(requestTarget(req), auth);
}

/** Like {@link sessionOwnerOf}, for a request target that was read before. */
export function sessionOwnerAt(target: string, auth: AuthInfo | undefined): SessionOwner {
  const last = auth && lastOwners.get(auth);
  if (last?.target === target) return last.owner;
  const owner = `${identityOf(auth)} ${foldPath(rawPath(target))}`;
  if (auth !== undefined) lastOwners.set(auth, { target, owner });
  return owner;
}

/** Returns a session id and its owner as one string. Neither contains a line end, so two different pairs never give the same string. */
export function ownedId(id: string, owner: SessionOwner): string {
  return `${id}\n${owner}`;
}

/** Visible ASCII (MCP 2025-11-25, Session Management). */
const ID = /^[\x21-\x7e]+$/;

/** True if `text` can be a session id. In any other string, a server that trims it may find another user's session. */
export function isSessionId(text: string): boolean {
  return ID.test(text);
}
