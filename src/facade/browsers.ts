import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Seal } from './seal.js';

/** A browser that logs in here: what its cookie says. */
export interface Browser {
  readonly id: string;
  /** Fingerprints of what its user has allowed, the latest last. */
  readonly allowed: readonly string[];
}

/** Recognises browsers by a sealed cookie, so that a login begun in one cannot be finished in another (CVE-2026-27124). */
export interface Browsers {
  /** The browser that a request comes from, if it is the one with this id. */
  find(req: IncomingMessage, id: string): Browser | undefined;
  /** The browser, with its cookie set where it has none yet. */
  meet(req: IncomingMessage, res: ServerResponse): Browser;
  /** Remembers what the user has allowed. */
  allow(res: ServerResponse, browser: Browser, fingerprint: string): void;
}

const COOKIE_SECONDS = 30 * 86_400;
const MOST_ALLOWED = 20;
const MOST_COOKIES = 8;
const ID_IN_NAME = 8;

export function createBrowsers(seal: Seal, resource: URL): Browsers {
  const secure = resource.protocol === 'https:';
  // Two resources of one origin must not overwrite each other's cookie.
  const tag = createHash('sha256').update(resource.href).digest('hex').slice(0, 8);
  // `__Host-` keeps other hosts of the domain from setting it, and needs https.
  const name = `${secure ? '__Host-' : ''}mcp-login-${tag}`;
  const attributes = `; Path=/; HttpOnly; SameSite=Lax; Max-Age=${COOKIE_SECONDS}${secure ? '; Secure' : ''}`;

  // Each id has a cookie of its own: two first logins at once must not overwrite each other's.
  const read = (req: IncomingMessage) =>
    cookiesOf(req, `${name}-`)
      .slice(0, MOST_COOKIES)
      .map((value) => seal.open('browser', value) as Browser | undefined)
      .filter((browser) => browser !== undefined);
  const write = (res: ServerResponse, browser: Browser) => {
    const value = seal.close('browser', browser, COOKIE_SECONDS);
    res.appendHeader('set-cookie', `${name}-${browser.id.slice(0, ID_IN_NAME)}=${value}${attributes}`);
  };

  return {
    find: (req, id) => read(req).find((browser) => browser.id === id),
    meet(req, res) {
      const known = read(req);
      if (known[0] !== undefined) return { id: known[0].id, allowed: known.flatMap(({ allowed }) => allowed) };
      const browser = { id: randomBytes(16).toString('base64url'), allowed: [] };
      write(res, browser);
      return browser;
    },
    allow(res, { id, allowed }, fingerprint) {
      const others = allowed.filter((item) => item !== fingerprint);
      write(res, { id, allowed: [...others, fingerprint].slice(-MOST_ALLOWED) });
    },
  };
}

function cookiesOf(req: IncomingMessage, prefix: string): string[] {
  return (req.headers.cookie ?? '').split(';').flatMap((cookie) => {
    const [name = '', value = ''] = cookie.trim().split('=', 2);
    return name.startsWith(prefix) ? [value] : [];
  });
}
