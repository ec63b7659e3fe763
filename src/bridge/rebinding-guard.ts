import type { IncomingMessage } from 'node:http';
import { isLoopbackAddress, isLoopbackHost } from '../http/loopback.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { repeatedHeader } from '../http/repeated-header.js';
import { BridgeError } from '../messages/bridge-error.js';
import type { ResolvedStdio } from './stdio-options.js';

const HOST = /^(?:[a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/;

/**
 * Keeps web pages away that a browser lets talk to this machine under a name of their own (DNS rebinding). On connections to a
 * loopback address Host must be a loopback name or the resource's, so that a reverse proxy on this machine keeps working;
 * elsewhere only the lists count. A header that comes twice and
 * counts once is read in two ways, and is refused everywhere. Throws a `BridgeError` for what is not let through.
 */
export function createRebindingGuard({ resource, allowedHosts, allowedOrigins }: ResolvedStdio) {
  const knownHosts = new Set([...(allowedHosts ?? []), ...(resource ? [resource.host, resource.hostname] : [])]);
  const knownOrigins = new Set([...(allowedOrigins ?? []), ...(resource ? [resource.origin] : [])]);
  const everyOrigin = knownOrigins.has('*');
  const hostAllowed = (host: string): boolean =>
    knownHosts.has(host) || (HOST.test(host) && knownHosts.has(withoutPort(host)));

  return function guard(req: IncomingMessage): void {
    const repeated = repeatedHeader(req.rawHeaders);
    if (repeated !== undefined) throw new BridgeError('repeated_header', { detail: repeated });
    const host = lowerAscii(req.headers.host ?? '');
    const local = isLoopbackHost(withoutPort(host));
    const onLoopback = isLoopbackAddress(req.socket.localAddress ?? '');
    if (allowedHosts || onLoopback) {
      const allowed = hostAllowed(host) || (onLoopback && local);
      if (!allowed) throw new BridgeError('foreign_host');
    }
    const { origin } = req.headers;
    if (origin === undefined || everyOrigin || !(allowedOrigins || (onLoopback && local))) return;
    if (!knownOrigins.has(lowerAscii(origin)) && !(onLoopback && isLoopbackOrigin(origin))) {
      throw new BridgeError('foreign_origin');
    }
  };
}

function isLoopbackOrigin(origin: string): boolean {
  return /^https?:\/\//.test(origin) && isLoopbackHost(withoutPort(origin.replace(/^https?:\/\//, '')));
}

function withoutPort(host: string): string {
  return host.replace(/:\d{1,5}$/, '');
}
