import type { IncomingMessage } from 'node:http';
import { createRequestNotes } from './request-notes.js';

/**
 * What a verified token says. It is set as `req.auth` and has the shape of the MCP SDK's `AuthInfo`, so that the
 * transports of SDK v1 and v2 hand it to tools as `extra.authInfo`; `header` and `payload` are those that the claim
 * checks of express-oauth2-jwt-bearer read. Frozen: requests with the same token share one object.
 */
export interface AuthInfo {
  /** The token as it came. */
  readonly token: string;
  /** `client_id`, else `azp`, else `cid`, else the empty string. */
  readonly clientId: string;
  readonly scopes: string[];
  /** Seconds since 1970. */
  readonly expiresAt?: number;
  /** The configured resource (RFC 8707), where there is one. */
  readonly resource?: URL;
  /** The token's claims again, for code that knows the SDK's type only. */
  readonly extra: Readonly<Record<string, unknown>>;
  /** The token's JOSE header. */
  readonly header: Readonly<Record<string, unknown>>;
  /** The token's claims. */
  readonly payload: Readonly<Record<string, unknown>>;
}

// Not read back from `req.auth`, which any middleware may write.
const verified = createRequestNotes<AuthInfo>();

type Named = IncomingMessage & { auth?: AuthInfo | undefined };

/** Who sent this request, as `mcpAuth()` verified it; `undefined` for an anonymous request. */
export function getAuth(req: IncomingMessage): AuthInfo | undefined {
  return verified.get(req);
}

/** Makes `info` the request's only identity: whatever an earlier middleware left in `req.auth` is replaced. */
export function attachAuth(req: IncomingMessage, info: AuthInfo): void {
  verified.set(req, info);
  (req as Named).auth = info;
}

/** Makes the request anonymous: a `req.auth` set by an earlier middleware is not trusted. */
export function clearAuth(req: IncomingMessage): void {
  if (getAuth(req) !== undefined) verified.set(req, undefined);
  if ((req as Named).auth !== undefined) (req as Named).auth = undefined;
}
