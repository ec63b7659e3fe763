import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** The cookies of one kind that one resource sets. Their names end differently. */
export interface OwnCookies {
  /** The suffixes of their names, and their values. Browsers send the oldest first (RFC 6265, section 5.4). */
  read(req: IncomingMessage): readonly (readonly [suffix: string, value: string])[];
  set(res: ServerResponse, suffix: string, value: string, seconds: number): void;
}

/** @param directory The path below which browsers send them. */
export function createOwnCookies(kind: string, resource: URL, directory = '/'): OwnCookies {
  const secure = resource.protocol === 'https:';
  // Two resources of one origin must not overwrite each other's cookie.
  const tag = createHash('sha256').update(resource.href).digest('hex').slice(0, 8);
  // A semicolon would end the attribute.
  const path = directory.includes(';') ? '/' : directory;
  // Both need https. `__Host-` also keeps other hosts of the domain from setting it, and needs the path `/`.
  const guard = path === '/' ? '__Host-' : '__Secure-';
  const prefix = `${secure ? guard : ''}${kind}-${tag}-`;
  return {
    read: (req) => cookiesOf(req, prefix).map(([name, value]) => [name.slice(prefix.length), value]),
    set: (res, suffix, value, seconds) =>
      void res.appendHeader(
        'set-cookie',
        `${prefix}${suffix}=${value}; Path=${path}; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure ? '; Secure' : ''}`,
      ),
  };
}

/**
 * Parses by hand: the package `cookie` keeps one value per name, which may be a planted one, and its current major needs more
 * than Node 20. Trims only spaces and tabs (RFC 6265bis, section 5.6): `trim()` removes more, so another host of the domain
 * could set a cookie that starts with `__Host-` here but did not in the browser.
 */
function cookiesOf(req: IncomingMessage, prefix: string): [name: string, value: string][] {
  return (req.headers.cookie ?? '').split(';').flatMap((cookie): [string, string][] => {
    const [, name = '', value = ''] = /^[ \t]*([\w-]+)=([\w-]*)[ \t]*$/.exec(cookie) ?? [];
    return name.startsWith(prefix) ? [[name, value]] : [];
  });
}
