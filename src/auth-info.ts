import type { IncomingMessage } from 'node:http';

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

// Not read back from `req.auth`, which any middleware may write. A symbol of our own and no WeakMap: that would cost every
// request more than all the rest of a remembered token.
const VERIFIED = Symbol('express-mcp-auth:verified');

type Verified = IncomingMessage & { [VERIFIED]?: AuthInfo | undefined };

/** Who sent this request, as `mcpAuth()` verified it; `undefined` for an anonymous request. */
export function getAuth(req: IncomingMessage): AuthInfo | undefined {
  return (req as Verified)[VERIFIED];
}

/** Makes `info` the request's only identity: whatever an earlier middleware left in `req.auth` is replaced. */
export function attachAuth(req: IncomingMessage, info: AuthInfo): void {
  (req as Verified)[VERIFIED] = info;
  (req as { auth?: AuthInfo }).auth = info;
}

/** Makes the request anonymous: a `req.auth` set by an earlier middleware is not trusted. */
export function clearAuth(req: IncomingMessage): void {
  if (VERIFIED in req) (req as Verified)[VERIFIED] = undefined;
  if ('auth' in req) (req as { auth?: AuthInfo | undefined }).auth = undefined;
}
