import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { requestTarget } from '../http/request-target.js';
import type { AuthInfo } from './auth-info.js';

/** Who a session belongs to, as one string to compare: issuer, subject, client and mount. */
export type Principal = string;

const identities = new WeakMap<AuthInfo, string>();

/** The owner of what `req` opens or asks for. A caller without a token is never the same as one with a token. */
export function principalOf(req: IncomingMessage, auth: AuthInfo | undefined): Principal {
  return `${identityOf(auth)} ${mountOf(req)}`;
}

/**
 * The person or program behind a token, whatever client it uses and wherever; undefined for anonymous callers. A token without
 * a subject is a user of its own: two such tokens may be two people's, even if both use the same client.
 */
export function userOf(auth: AuthInfo | undefined): string | undefined {
  if (auth === undefined) return undefined;
  const issuer = auth.payload.iss ?? null;
  return JSON.stringify(
    auth.subject === undefined ? [issuer, { token: digestOf(auth.token) }] : [issuer, auth.subject],
  );
}

/** A user with one client, or all anonymous callers, as a string to compare. No user is called as anonymous callers are. */
export function identityOf(auth: AuthInfo | undefined): string {
  if (auth === undefined) return 'anonymous';
  let identity = identities.get(auth);
  if (identity === undefined) {
    identity = JSON.stringify([userOf(auth), auth.clientId]);
    identities.set(auth, identity);
  }
  return identity;
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}

// One backend mounted twice is two places; what follows the mount is the client's to choose, and so are the capitals of a path
// that Express compares without them: neither may make a caller somebody new.
function mountOf(req: IncomingMessage): string {
  const { baseUrl } = req as { baseUrl?: string };
  return foldPath(baseUrl ?? cutOff(requestTarget(req), req.url ?? '/'));
}

/** A path as Express compares it by default: without capitals, and without slashes at its end. */
export function foldPath(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end--;
  return path.slice(0, end).toLowerCase();
}

// Connect gives `url` a slash that `/mcp` and `/mcp?x` do not have.
function cutOff(target: string, url: string): string {
  const rest = target.endsWith(url) ? url : url.slice(1);
  return target.endsWith(rest) ? target.slice(0, target.length - rest.length) : '';
}
