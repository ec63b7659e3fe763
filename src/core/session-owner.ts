import type { IncomingMessage } from 'node:http';
import { rawPath, requestTarget } from '../http/request-target.js';
import type { AuthInfo } from './auth-info.js';
import { foldPath, identityOf } from './principal.js';

/** Who a session of a server behind `mcpAuth()` belongs to, as one string to compare: issuer, user, client and path. */
export type SessionOwner = string;

/**
 * The owner of the session that `req` opens or names. The whole path counts, not the mount as in `principalOf()`: `mcpAuth()` on the
 * root and a backend on `/mcp` must find the same owner.
 */
export function sessionOwnerOf(req: IncomingMessage, auth: AuthInfo | undefined): SessionOwner {
  return `${identityOf(auth)} ${foldPath(rawPath(requestTarget(req)))}`;
}

/** What MCP allows (2025-11-25, Session Management). */
const ID = /^[\x21-\x7e]+$/;

/** True if `text` can be the id of a session. A server that trims other text may find the session of somebody else in it. */
export function isSessionId(text: string): boolean {
  return ID.test(text);
}
