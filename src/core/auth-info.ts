import type { IncomingMessage } from 'node:http';
import { isRegisteredCaller, registerCaller } from './caller-values.js';
import { ignoreRejection } from './ignore-rejection.js';
import { createPerRequest, type PerRequest } from './per-request.js';
import { IDENTITIES, isIdentifiedInAnotherFormat, shareValue } from './shared-state.js';

/**
 * The content of a verified token, set as `req.auth`. It has the shape of the MCP SDK's `AuthInfo`, so the transports of SDK v1 and
 * v2 pass it to tools as `extra.authInfo`. The claim checks of express-oauth2-jwt-bearer read `header` and `payload`. It is frozen,
 * except for the URL in `resource`, since requests with the same token share one object.
 */
export interface AuthInfo<Claims extends object = Readonly<Record<string, unknown>>> {
  /** The token, as received. */
  readonly token: string;
  /** The claim `client_id`, else `azp`, else `cid`, else `appid`, else the empty string. */
  readonly clientId: string;
  /** The user: the claim that the issuer's `subjectClaim` names. Absent if the token does not have it. */
  readonly subject?: string;
  /** From `scope`, `scp` and the claim `scopesClaim` of the issuer, each once. */
  readonly scopes: string[];
  /** Seconds since 1970. */
  readonly expiresAt?: number;
  /** The configured resource (RFC 8707), with the tenant of the request in it. Absent if none is configured. */
  readonly resource?: URL;
  /** The tenant in the path of the request, if the resource has `{tenant}` in its path. */
  readonly tenant?: string;
  /** The token's claims again, for code that only knows the SDK's type, with what the option `extra` adds. */
  readonly extra: Readonly<Record<string, unknown>>;
  /** The token's JOSE header. */
  readonly header: Readonly<Record<string, unknown>>;
  /** The token's claims. */
  readonly payload: Readonly<Claims>;
}

/** The option `extra` of `mcpAuth()`. */
export type AddExtra = (auth: AuthInfo) => Readonly<Record<string, unknown>>;

/** The `iss` of the identity of an API key. No authorization server has this name: an issuer is a URL. */
export const API_KEY_ISSUER = 'urn:express-mcp-auth:api-key';

/** Returns the id of the caller's API key; undefined for a caller with a token. */
export function apiKeyOf({ payload, clientId }: AuthInfo): string | undefined {
  return payload.iss === API_KEY_ISSUER ? clientId : undefined;
}

/** True for an AuthInfo that `mcpAuth()` made; false for a copy. */
export function isIssuedAuth(value: unknown): value is AuthInfo {
  return isRegisteredCaller(value);
}

/** Registers the content of a verified credential as an identity, and freezes it: requests with the same credential share it. */
export function issueAuth(info: AuthInfo): AuthInfo {
  registerCaller(info);
  return deepFreeze(info);
}

/**
 * Returns an identity with the members that the option `extra` adds. They are the application's own, and may be in use elsewhere: they are not
 * frozen.
 *
 * @throws {TypeError} If the function returns no plain object.
 * @throws {Error} If it throws, with that error as `cause`.
 */
export function extendAuth(info: AuthInfo, addExtra: AddExtra | undefined): AuthInfo {
  if (addExtra === undefined) return info;
  const added = callExtra(addExtra, info);
  ignoreRejection(added);
  if (typeof added !== 'object' || added === null || Array.isArray(added) || 'then' in added) {
    throw new TypeError('option "extra" of mcpAuth() must return a plain object, and no promise');
  }
  const extended = { ...info, extra: Object.freeze({ ...info.extra, ...added }) };
  registerCaller(extended);
  return Object.freeze(extended);
}

/** The log then names the option, and not only what went wrong in it. */
function callExtra(addExtra: AddExtra, info: AuthInfo): unknown {
  try {
    return addExtra(info);
  } catch (cause) {
    throw new Error(`option "extra" of mcpAuth() threw an error: ${(cause as Error | undefined)?.message}`, { cause });
  }
}

// Kept here, and not read back from `req.auth`, which any middleware may write. A middleware that caches extended copies of it could
// give one token the scopes of another.
const verified: PerRequest<AuthInfo> = shareValue(IDENTITIES, createPerRequest<AuthInfo>);

type WithAuth = IncomingMessage & { auth?: AuthInfo | undefined };

/**
 * Returns the identity that `mcpAuth()` verified for this request; `undefined` for an anonymous request.
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
 * @typeParam Claims The claims that the application expects in the payload. Not checked: see `jwtValidationOptions.requiredClaims`.
 * @throws {Error} If the request is a copy or a Proxy of the one that `mcpAuth()` verified: its sender must not count as anonymous
 * and share sessions with anonymous callers. Also if an incompatible version of this package verified the request.
 */
export function getAuth<Claims extends object = Readonly<Record<string, unknown>>>(
  req: IncomingMessage,
): AuthInfo<Claims> | undefined {
  const auth = verified.get(req);
  if (auth !== undefined) return auth as AuthInfo<Claims>;
  if (isIssuedAuth((req as WithAuth).auth)) {
    throw new Error(
      'getAuth(): a middleware after mcpAuth() replaced the request object; mount mcpAuth() after that middleware',
    );
  }
  if (isIdentifiedInAnotherFormat(req)) {
    throw new Error(
      'getAuth(): another version of express-mcp-auth verified this request; install one version ("npm ls express-mcp-auth" lists them)',
    );
  }
  return undefined;
}

/** Makes `info` the request's only identity, and replaces what an earlier middleware put into `req.auth`. */
export function attachAuth(req: IncomingMessage, info: AuthInfo): void {
  verified.set(req, info);
  (req as WithAuth).auth = info;
}

/** True if `info` is the request's only identity. */
export function isAttached(req: IncomingMessage, info: AuthInfo): boolean {
  return verified.get(req) === info;
}

/** Makes the request anonymous, and removes a `req.auth` of an earlier middleware, which is not trusted. */
export function clearAuth(req: IncomingMessage): void {
  // Written only if there is something to clear, since a write is slower than a read.
  if (verified.get(req) !== undefined) verified.set(req, undefined);
  if ((req as WithAuth).auth !== undefined) (req as WithAuth).auth = undefined;
}

/** Returns when the caller's token expires, in milliseconds since 1970. Infinity for an anonymous caller or a token without expiry. */
export function expiryOf(auth: AuthInfo | undefined): number {
  return auth?.expiresAt === undefined ? Number.POSITIVE_INFINITY : auth.expiresAt * 1_000;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof URL) return value;
  for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}
