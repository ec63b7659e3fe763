import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { requestTarget } from '../http/request-target.js';
import type { AuthInfo } from './auth-info.js';

/** Who a session belongs to, as one string to compare: issuer, subject, client and mount. */
export type Principal = string;

const identities = new WeakMap<AuthInfo, string>();

/** The owner of what `req` opens or asks for. Somebody without a token is never somebody with one. */
export function principalOf(req: IncomingMessage, auth: AuthInfo | undefined): Principal {
  return `${auth === undefined ? 'anonymous' : identityOf(auth)} ${mountOf(req)}`;
}

/** The person or program behind a token, whatever client it uses and wherever; undefined for strangers. */
export function userOf(auth: AuthInfo | undefined): string | undefined {
  if (auth === undefined) return undefined;
  const { iss, sub } = auth.payload;
  return sub === undefined ? identityOf(auth) : JSON.stringify([iss ?? null, sub]);
}

function identityOf(auth: AuthInfo): string {
  let identity = identities.get(auth);
  if (identity === undefined) {
    const { iss, sub } = auth.payload;
    // Two tokens that name nobody are two strangers: only the same token is the same user then.
    const nobody = sub === undefined && auth.clientId === '';
    const who = nobody ? createHash('sha256').update(auth.token).digest('base64') : sub;
    identity = JSON.stringify([iss ?? null, who ?? null, auth.clientId]);
    identities.set(auth, identity);
  }
  return identity;
}

// One backend mounted twice is two places; what follows the mount is the client's to choose, and so are the capitals of a path
// that Express compares without them: neither may make a caller somebody new.
function mountOf(req: IncomingMessage): string {
  const { baseUrl } = req as { baseUrl?: string };
  const mount = (baseUrl ?? cutOff(requestTarget(req), req.url ?? '/')).toLowerCase();
  let end = mount.length;
  while (mount[end - 1] === '/') end--;
  return mount.slice(0, end);
}

// Connect gives `url` a slash that `/mcp` and `/mcp?x` do not have.
function cutOff(target: string, url: string): string {
  const rest = target.endsWith(url) ? url : url.slice(1);
  return target.endsWith(rest) ? target.slice(0, target.length - rest.length) : '';
}
