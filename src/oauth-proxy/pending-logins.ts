import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createOwnCookies } from './own-cookies.js';
import type { Login, OAuthProxySeal } from './sealed-contents.js';

/** The logins in progress at the upstream server. */
export type PendingLogins = ReturnType<typeof createPendingLogins>;

/** A login that begins. */
export type NewPendingLogin = Omit<Login, 'handle'>;

/** Long enough for a second factor and a forgotten password. */
const LOGIN_SECONDS = 1_800;
/** A browser may call back twice: after a double click, the first answer is not seen. */
const ENDED_SECONDS = 60;
/** Characters. Browsers refuse cookies of more than 4,096, with name and attributes. */
const MAX_COOKIE_LENGTH = 2_048;
/** Characters of the header `Cookie`. nginx and Apache refuse a line of more than 8 KB, and other logins may begin at the same time. */
const MAX_HEADER_LENGTH = 6_000;
/** Of the logins that a browser has begun before, the latest are not given up for another: users may still be at them. */
const MAX_KEPT = 2;

/**
 * Keeps each login in progress in a sealed cookie of its browser. The upstream server gets only the end of the cookie's name as `state`:
 * some servers refuse a `state` of 500 characters. A login that is too long for a cookie is itself the `state`, sealed.
 *
 * Browsers send these cookies only to the endpoints of the login, so that those of several resources do not add up. Other hosts of the domain
 * can then set such a cookie, which does no harm: the login in it must have begun in this browser, which its login cookie tells.
 *
 * @param directory The path of these endpoints.
 */
export function createPendingLogins(seal: OAuthProxySeal, resource: URL, directory: string) {
  const own = createOwnCookies('mcp-state', resource, directory);

  /** Expires the oldest logins of a browser, which were probably abandoned, until one of this length fits. Returns false if it does not. */
  const makeRoom = (req: IncomingMessage, res: ServerResponse, length: number): boolean => {
    let excess = (req.headers.cookie?.length ?? 0) + length - MAX_HEADER_LENGTH;
    const abandoned: string[] = [];
    for (const [suffix, value] of own.read(req).slice(0, -MAX_KEPT)) {
      if (excess <= 0) break;
      excess -= value.length;
      abandoned.push(suffix);
    }
    if (length > MAX_COOKIE_LENGTH || excess > 0) return false;
    for (const suffix of abandoned) own.set(res, suffix, '', 0);
    return true;
  };

  return {
    /** Returns the `state` for the upstream server. */
    begin(req: IncomingMessage, res: ServerResponse, login: NewPendingLogin): string {
      const handle = randomBytes(16).toString('base64url');
      const sealed = seal.close('login', { ...login, handle }, LOGIN_SECONDS);
      if (!makeRoom(req, res, sealed.length)) {
        return seal.close('login', { ...login, handle: undefined }, LOGIN_SECONDS);
      }
      own.set(res, handle, sealed, LOGIN_SECONDS);
      return handle;
    },
    /** The login with this `state`; undefined if there is none, or if it is in a cookie of another browser. Its cookie soon expires. */
    end(req: IncomingMessage, res: ServerResponse, state: string | undefined): Login | undefined {
      for (const [suffix, value] of own.read(req)) {
        const login = suffix === state ? seal.open('login', value) : undefined;
        // Compared, because an attacker who can set a cookie of this name could copy another one's value.
        if (login?.handle === undefined || login.handle !== state) continue;
        own.set(res, suffix, value, ENDED_SECONDS);
        return login;
      }
      const login = seal.open('login', state);
      return login?.handle === undefined ? login : undefined;
    },
  };
}
