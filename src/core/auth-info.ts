import type { IncomingMessage } from 'node:http';
import { createPerRequest, type PerRequest } from './per-request.js';
import { IDENTITIES, isIdentifiedInAnotherFormat, shareValue } from './shared-state.js';

/**
 * What a verified token says. It is set as `req.auth` and has the shape of the MCP SDK's `AuthInfo`, so that the
 * transports of SDK v1 and v2 hand it to tools as `extra.authInfo`; `header` and `payload` are those that the claim
 * checks of express-oauth2-jwt-bearer read. Frozen, but for the URL in `resource`: requests with the same token share one object.
 */
export interface AuthInfo {
  /** The token as it came. */
  readonly token: string;
  /** `client_id`, else `azp`, else `cid`, else the empty string. */
  readonly clientId: string;
  /** The user, as the claim `subjectClaim` of its issuer names it; left out where the token names none. */
  readonly subject?: string;
  /** From `scope`, `scp` and the claim `scopesClaim` of the issuer, each once. */
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

const issued = shareValue('issued', () => new WeakSet<AuthInfo>());

/** Makes what a verified token says an identity. Requests with the same token share it: none may change it for the next. */
export function issueAuth(info: AuthInfo): AuthInfo {
  issued.add(info);
  return deepFreeze(info);
}

// Not read back from `req.auth`, which any middleware may write: one that keeps copies of it, with a tenant added, would lend
// one token the scopes of another.
const verified: PerRequest<AuthInfo> = shareValue(IDENTITIES, createPerRequest<AuthInfo>);

type WithAuth = IncomingMessage & { auth?: AuthInfo | undefined };

/**
 * Who sent this request, as `mcpAuth()` verified it; `undefined` for an anonymous request.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { getAuth, mcpAuth } from 'express-mcp-auth';
 *
 * const app = express();
 * app.use(mcpAuth({ issuer: 'https://auth.example.com', audiences: ['https://mcp.example.com/mcp'] }));
 * app.get('/whoami', (req, res) => {
 *   res.json({ subject: getAuth(req)?.subject });
 * });
 * ```
 *
 * @throws {Error} Where this is not the request that came through `mcpAuth()`, but a copy of it, or a Proxy: taken for
 * anonymous, its sender would share sessions with unknown callers. Also where the `mcpAuth()` of a version that this one cannot
 * read verified the request.
 */
export function getAuth(req: IncomingMessage): AuthInfo | undefined {
  const auth = verified.get(req);
  if (auth !== undefined) return auth;
  if (issued.has((req as WithAuth).auth as AuthInfo)) {
    throw new Error(
      'getAuth(): "req.auth" came with another request object; mount mcpAuth() after what replaces requests',
    );
  }
  if (isIdentifiedInAnotherFormat(req)) {
    throw new Error(
      'getAuth(): another version of express-mcp-auth verified this request; install one version ("npm ls express-mcp-auth" lists them)',
    );
  }
  return undefined;
}

/** Makes `info` the request's only identity: whatever an earlier middleware left in `req.auth` is replaced. */
export function attachAuth(req: IncomingMessage, info: AuthInfo): void {
  verified.set(req, info);
  (req as WithAuth).auth = info;
}

/** Makes the request anonymous: a `req.auth` set by an earlier middleware is not trusted. */
export function clearAuth(req: IncomingMessage): void {
  // Only where there is something to clear: a write costs more than a look.
  if (verified.get(req) !== undefined) verified.set(req, undefined);
  if ((req as WithAuth).auth !== undefined) (req as WithAuth).auth = undefined;
}

/** When the caller's token expires, in milliseconds since 1970; never for an anonymous caller. */
export function expiryOf(auth: AuthInfo | undefined): number {
  return auth?.expiresAt === undefined ? Number.POSITIVE_INFINITY : auth.expiresAt * 1_000;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof URL) return value;
  for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}
