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
  read(req: IncomingMessage): Browser | undefined;
  /** The browser, with its cookie set where it has none yet. */
  meet(req: IncomingMessage, res: ServerResponse): Browser;
  /** Remembers what the user has allowed. */
  allow(res: ServerResponse, browser: Browser, fingerprint: string): void;
}

const COOKIE_SECONDS = 30 * 86_400;
const MOST_ALLOWED = 20;

export function createBrowsers(seal: Seal, resource: URL): Browsers {
  const secure = resource.protocol === 'https:';
  // Two resources of one origin must not overwrite each other's cookie.
  const tag = createHash('sha256').update(resource.href).digest('hex').slice(0, 8);
  // `__Host-` keeps other hosts of the domain from setting it, and needs https.
  const name = `${secure ? '__Host-' : ''}mcp-login-${tag}`;
  const attributes = `; Path=/; HttpOnly; SameSite=Lax; Max-Age=${COOKIE_SECONDS}${secure ? '; Secure' : ''}`;

  const read = (req: IncomingMessage) => seal.open('browser', cookieOf(req, name)) as Browser | undefined;
  const write = (res: ServerResponse, browser: Browser) => {
    res.appendHeader('set-cookie', `${name}=${seal.close('browser', browser, COOKIE_SECONDS)}${attributes}`);
  };

  return {
    read,
    meet(req, res) {
      const known = read(req);
      if (known !== undefined) return known;
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

function cookieOf(req: IncomingMessage, name: string): string | undefined {
  for (const cookie of (req.headers.cookie ?? '').split(';')) {
    const [key, value] = cookie.trim().split('=', 2);
    if (key === name) return value;
  }
  return undefined;
}
