import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Browser, OAuthProxySeal } from './sealed-contents.js';

/** Recognises browsers by a sealed cookie, so that a login begun in one cannot be finished in another (CVE-2026-27124). */
export type LoginCookies = ReturnType<typeof createLoginCookies>;

const COOKIE_SECONDS = 30 * 86_400;
const MAX_ALLOWED = 20;
/** The latest that a browser brings are looked at, and no more: opening costs. */
const MAX_COOKIES = 64;
/** More of either kind are taken back: too many would be too long a header. */
const MAX_UNREADABLE = 8;
/** First logins begun at once; the oldest cookie is kept beside them, since it says what the user has allowed. */
const MAX_READABLE = 8;
const ID_IN_NAME = 8;

export function createLoginCookies(seal: OAuthProxySeal, resource: URL) {
  const secure = resource.protocol === 'https:';
  // Two resources of one origin must not overwrite each other's cookie.
  const tag = createHash('sha256').update(resource.href).digest('hex').slice(0, 8);
  // `__Host-` keeps other hosts of the domain from setting it, and needs https.
  const name = `${secure ? '__Host-' : ''}mcp-login-${tag}`;
  const setCookie = (res: ServerResponse, cookie: string, value: string, seconds: number) =>
    res.appendHeader(
      'set-cookie',
      `${cookie}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure ? '; Secure' : ''}`,
    );

  // Each id has a cookie of its own: two first logins at once must not overwrite each other's. Browsers send the oldest first
  // (RFC 6265, section 5.4).
  const read = (req: IncomingMessage) =>
    cookiesOf(req, `${name}-`)
      .slice(-MAX_COOKIES)
      .map(([cookie, value]) => ({ cookie, browser: seal.open('browser', value) }));
  const readable = (cookies: ReturnType<typeof read>) =>
    cookies.flatMap(({ browser }) => (browser === undefined ? [] : [browser]));
  const write = (res: ServerResponse, browser: Browser) => {
    const value = seal.close('browser', browser, COOKIE_SECONDS);
    setCookie(res, `${name}-${browser.id.slice(0, ID_IN_NAME)}`, value, COOKIE_SECONDS);
  };

  return {
    /** The browser that a request comes from, if it is the one with this id. */
    find: (req: IncomingMessage, id: string): Browser | undefined =>
      readable(read(req)).find((browser) => browser.id === id),
    /** The browser, with its cookie set where it has none yet. */
    identify(req: IncomingMessage, res: ServerResponse): Browser {
      const cookies = read(req);
      // Sealed under a secret that is gone, or by a neighbour who has another.
      const unreadable = cookies.filter(({ browser }) => browser === undefined).slice(0, -MAX_UNREADABLE);
      // From first logins that were begun at once.
      const abandoned = cookies.filter(({ browser }) => browser !== undefined).slice(1, -MAX_READABLE);
      for (const { cookie } of [...unreadable, ...abandoned]) setCookie(res, cookie, '', 0);
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

/**
 * By hand: `cookie` keeps one value of each name, which may be a planted one, and its present major does not run on Node 20.
 * Only blanks and tabs are trimmed (RFC 6265bis, section 5.6): `trim()` would also make a name with `__Host-` of one that was no
 * such name to the browser, and that another host of the domain may have set.
 */
function cookiesOf(req: IncomingMessage, prefix: string): [name: string, value: string][] {
  return (req.headers.cookie ?? '').split(';').flatMap((cookie): [string, string][] => {
    const [, name = '', value = ''] = /^[ \t]*([\w-]+)=([\w-]*)[ \t]*$/.exec(cookie) ?? [];
    return name.startsWith(prefix) ? [[name, value]] : [];
  });
}
