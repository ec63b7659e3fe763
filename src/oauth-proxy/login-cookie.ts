import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createOwnCookies } from './own-cookies.js';
import type { Browser, OAuthProxySeal } from './sealed-contents.js';

/** Recognises browsers by a sealed cookie, so that a login started in one cannot be finished in another (CVE-2026-27124). */
export type LoginCookies = ReturnType<typeof createLoginCookies>;

const COOKIE_SECONDS = 30 * 86_400;
const MAX_ALLOWED = 20;
/** Only the latest cookies of a request are opened: each costs a decryption. */
const MAX_COOKIES = 64;
/** Unreadable cookies beyond this number are expired, oldest first, so that the Cookie header stays below server limits. */
const MAX_UNREADABLE = 8;
/** First logins that start at the same time set several cookies. Of more than this, the oldest stays: it has the user's consents. */
const MAX_READABLE = 8;
const ID_IN_NAME = 8;

export function createLoginCookies(seal: OAuthProxySeal, resource: URL) {
  const own = createOwnCookies('mcp-login', resource);

  // Each id has a cookie of its own: two first logins at once must not overwrite each other's.
  const read = (req: IncomingMessage) =>
    own
      .read(req)
      .slice(-MAX_COOKIES)
      .map(([suffix, value]) => ({ suffix, browser: seal.open('browser', value) }));
  const readable = (cookies: ReturnType<typeof read>) =>
    cookies.flatMap(({ browser }) => (browser === undefined ? [] : [browser]));
  const write = (res: ServerResponse, browser: Browser) => {
    const value = seal.close('browser', browser, COOKIE_SECONDS);
    own.set(res, browser.id.slice(0, ID_IN_NAME), value, COOKIE_SECONDS);
  };

  return {
    /** The browser with this id, if the request comes from it. */
    find: (req: IncomingMessage, id: string): Browser | undefined =>
      readable(read(req)).find((browser) => browser.id === id),
    /** The browser that a request comes from. Sets its cookie if it has none. */
    identify(req: IncomingMessage, res: ServerResponse): Browser {
      const cookies = read(req);
      // Sealed with an old secret, or by another app on this host.
      const unreadable = cookies.filter(({ browser }) => browser === undefined).slice(0, -MAX_UNREADABLE);
      // From first logins started at once.
      const abandoned = cookies.filter(({ browser }) => browser !== undefined).slice(1, -MAX_READABLE);
      for (const { suffix } of [...unreadable, ...abandoned]) own.set(res, suffix, '', 0);
      const known = readable(cookies);
      if (known[0] !== undefined) return { id: known[0].id, allowed: known.flatMap(({ allowed }) => allowed) };
      const browser = { id: randomBytes(16).toString('base64url'), allowed: [] };
      write(res, browser);
      return browser;
    },
    /** Remembers what the user has allowed. */
    remember(res: ServerResponse, { id, allowed }: Browser, fingerprint: string): void {
      const others = allowed.filter((item) => item !== fingerprint);
      write(res, { id, allowed: [...others, fingerprint].slice(-MAX_ALLOWED) });
    },
  };
}
