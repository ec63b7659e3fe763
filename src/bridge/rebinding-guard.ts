import type { IncomingMessage } from 'node:http';
import type { Advice } from '../core/advice.js';
import type { Logger } from '../core/logger.js';
import { rememberLast } from '../core/remember-last.js';
import { isLoopbackAddress, isLoopbackHost } from '../http/loopback.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { repeatedHeader } from '../http/repeated-header.js';
import { requestHost } from '../http/request-host.js';
import { BridgeError } from '../messages/bridge-error.js';
import { resourceOriginOf } from '../oauth/refusal.js';
import type { ResourceIdentity } from '../policy/resolve-resource.js';

const HOST = /^(?:[a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/;

/** The options of a backend that the guard reads. */
export interface GuardOptions {
  readonly resource: ResourceIdentity | undefined;
  readonly allowedHosts: readonly string[] | undefined;
  readonly allowedOrigins: readonly string[] | undefined;
  readonly logger: Logger;
}

/**
 * Checks one request.
 *
 * @param isChecked True behind an `mcpAuth()`, which refuses repeated headers itself.
 * @throws {BridgeError}
 */
export type RebindingGuard = (req: IncomingMessage, isChecked: boolean) => void;

/**
 * Creates the check of Host and Origin against DNS rebinding, with which a web page reaches this machine under the page's own host
 * name. On connections to a loopback address, Host must be a loopback name, listed, or the host of the resource (of this backend, or
 * of the `mcpAuth()` in front, so that a reverse proxy on this machine keeps working); with a loopback Host, the same holds for
 * Origin. On other connections a header is checked only if its list is given. The check also refuses a repeated header that may
 * occur only once, because a proxy may read the other value.
 *
 * @param who The function that the check is for, in the log.
 */
export function createRebindingGuard(who: string, options: GuardOptions, advice: Advice): RebindingGuard {
  const { resource, allowedHosts, allowedOrigins } = options;
  const knownHosts = new Set([...(allowedHosts ?? []), ...(resource ? [resource.host, resource.hostname] : [])]);
  const knownOrigins = new Set([...(allowedOrigins ?? []), ...(resource ? [resource.origin] : [])]);
  const everyOrigin = knownOrigins.has('*');
  const { logger } = options;
  const { foreignHost, foreignOrigin } = advice;
  const refuseHost = createHeaderRefusal(who, logger, { reason: 'foreign_host', header: 'Host', fix: foreignHost });
  const refuseOrigin = createHeaderRefusal(who, logger, {
    reason: 'foreign_origin',
    header: 'Origin',
    fix: foreignOrigin,
  });
  const hostAllowed = (host: string): boolean =>
    knownHosts.has(host) || (HOST.test(host) && knownHosts.has(withoutPort(host)));
  const readHost = rememberLast((header) => {
    const host = lowerAscii(header);
    return { host, local: isLoopbackHost(withoutPort(host)) };
  });
  const isLoopback = rememberLast(isLoopbackAddress);

  return (req, isChecked) => {
    const repeated = isChecked ? undefined : repeatedHeader(req.rawHeaders);
    if (repeated !== undefined) throw new BridgeError('repeated_header', { detail: repeated });
    const { host, local } = readHost(requestHost(req));
    const onLoopback = isLoopback(req.socket.localAddress ?? '');
    if (allowedHosts || onLoopback) {
      const allowed = (onLoopback && local) || hostAllowed(host) || isHostOf(resourceOriginOf(req), host);
      if (!allowed) refuseHost(host);
    }
    const { origin } = req.headers;
    if (origin === undefined || everyOrigin || !(allowedOrigins || (onLoopback && local))) return;
    const lowered = lowerAscii(origin);
    const known = knownOrigins.has(lowered) || resourceOriginOf(req) === lowered;
    if (!known && !(onLoopback && isLoopbackOrigin(origin))) refuseOrigin(lowered);
  };
}

/** True if `host` is the host of `origin`; its port is ignored, as in `knownHosts`, because it is that of a proxy. */
function isHostOf(origin: string | undefined, host: string): boolean {
  if (origin === undefined || !HOST.test(host)) return false;
  const { hostname } = new URL(origin);
  return hostname === withoutPort(host);
}

const MINUTE_MS = 60_000;

interface Refusal {
  readonly reason: 'foreign_host' | 'foreign_origin';
  readonly header: string;
  readonly fix: string;
}

/** Creates a function that refuses a request. It logs at most once a minute: a refused caller may send thousands of requests. */
function createHeaderRefusal(who: string, logger: Logger, { reason, header, fix }: Refusal): (value: string) => never {
  let quietUntil = Number.NEGATIVE_INFINITY;
  let others = 0;
  return (value) => {
    if (performance.now() < quietUntil) others += 1;
    else {
      const since = others === 0 ? '' : `, and ${others} more since the last such line`;
      logger.warn(`${who}: refused a request with ${header} ${quote(value)}${since} (${reason}): ${fix}`);
      quietUntil = performance.now() + MINUTE_MS;
      others = 0;
    }
    throw new BridgeError(reason, { detail: fix });
  };
}

const MAX_QUOTED = 100;

/** Quotes a client's header for the log: Node accepts bytes above 127 in headers, including control characters. */
function quote(value: string): string {
  return JSON.stringify(value.slice(0, MAX_QUOTED)).replace(/[^\x20-\x7e]/g, '?');
}

function isLoopbackOrigin(origin: string): boolean {
  return /^https?:\/\//.test(origin) && isLoopbackHost(withoutPort(origin.replace(/^https?:\/\//, '')));
}

function withoutPort(host: string): string {
  return host.replace(/:\d{1,5}$/, '');
}
