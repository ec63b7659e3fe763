import type { IncomingMessage } from 'node:http';
import { lowerAscii } from '../http/lower-ascii.js';
import { requestHost } from '../http/request-host.js';
import { AdminError } from './admin-error.js';

/**
 * Refuses a request that a page of another origin has made. Browsers name the origin's relation in `Sec-Fetch-Site`, which no page can set. They
 * do not send it to a plain http address that is not loopback; `Origin` must then have the host of the request.
 */
export function requireSameOrigin(req: IncomingMessage): void {
  const { 'sec-fetch-site': site, origin } = req.headers;
  const isSame =
    site === undefined ? origin !== undefined && isOriginOf(origin, requestHost(req)) : site === 'same-origin';
  if (!isSame)
    throw new AdminError(
      403,
      'foreign_origin',
      'Only the admin page itself may do this. A script must send the origin of the page as Origin',
    );
}

/** Refuses to give data to a page of another origin, which could otherwise load it as a script or an image. */
export function refuseOtherSites(req: IncomingMessage): void {
  const { 'sec-fetch-site': site } = req.headers;
  if (site === undefined || site === 'same-origin' || site === 'none') return;
  throw new AdminError(403, 'foreign_origin', 'Only the admin page itself may read this');
}

function isOriginOf(origin: string, host: string): boolean {
  return /^https?:\/\/[^/]+$/.test(origin) && lowerAscii(origin).replace(/^https?:\/\//, '') === lowerAscii(host);
}
