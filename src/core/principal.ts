import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { requestTarget, withoutOrigin } from '../http/request-target.js';
import type { AuthInfo } from './auth-info.js';
import { createCallerValues } from './caller-values.js';

/** The owner of a session, as one string to compare: issuer, subject, client and mount path. */
export type Principal = string;

/** The names of a caller, made once for each token. */
interface Names {
  readonly user: string;
  readonly identity: string;
}

const names = createCallerValues<Names>();

/** Returns the owner of what `req` opens or asks for. An anonymous caller never equals one with a token. */
export function principalOf(req: IncomingMessage, auth: AuthInfo | undefined): Principal {
  return `${identityOf(auth)} ${mountOf(req)}`;
}

/**
 * Returns the user of a token within one tenant of the resource, regardless of client and mount path. Undefined for an anonymous caller. Each
 * token without a subject counts as a separate user: two such tokens may belong to two people, even if both use the same client.
 */
export function userOf(auth: AuthInfo | undefined): string | undefined {
  return auth && namesOf(auth).user;
}

/** Returns a user with one client as a string to compare. Anonymous callers share one string, which no user can have. */
export function identityOf(auth: AuthInfo | undefined): string {
  return auth === undefined ? 'anonymous' : namesOf(auth).identity;
}

function namesOf(auth: AuthInfo): Names {
  let known = names.get(auth);
  if (known === undefined) {
    const issuer = auth.payload.iss ?? null;
    const tenant = auth.tenant === undefined ? [] : [auth.tenant];
    const user = JSON.stringify([issuer, auth.subject ?? { token: digestOf(auth.token) }, ...tenant]);
    known = { user, identity: JSON.stringify([user, auth.clientId]) };
    names.set(auth, known);
  }
  return known;
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}

// A backend that is mounted twice has separate sessions for each mount path. The client chooses the path after the mount, and its
// capitals, which Express ignores; neither may make it another principal.
function mountOf(req: IncomingMessage): string {
  const { baseUrl } = req as { baseUrl?: string };
  return foldPath(baseUrl ?? cutOff(requestTarget(req), withoutOrigin(req.url ?? '/')));
}

/** Returns a path as Express compares it by default: in lower case, and without slashes at its end. */
export function foldPath(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end--;
  return path.slice(0, end).toLowerCase();
}

// For `/mcp` and `/mcp?x`, Connect adds a slash to `url`.
function cutOff(target: string, url: string): string {
  const rest = target.endsWith(url) ? url : url.slice(1);
  return target.endsWith(rest) ? target.slice(0, target.length - rest.length) : '';
}
