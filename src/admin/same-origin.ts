import type { IncomingMessage } from 'node:http';
import { lowerAscii } from '../http/lower-ascii.js';
import { AdminError } from './admin-error.js';

/**
 * Refuses a request that a page of another origin has made. Browsers say so in `Sec-Fetch-Site`, which no page can set. Where they do
 * not send it, on a plain http address that is not loopback, `Origin` must have the host of the request.
 */
export function requireSameOrigin(req: IncomingMessage): void {
  const { 'sec-fetch-site': site, origin, host = '' } = req.headers;
  const isSame = site === undefined ? origin !== undefined && isOriginOf(origin, host) : site === 'same-origin';
  if (!isSame)
    throw new AdminError(403, 'foreign_origin', 'Only the page itself may ask for this: send its Origin header');
}

/** Refuses to give data to a page of another origin, which could otherwise load it as a script or an image. */
export function refuseOtherSites(req: IncomingMessage): void {
  const { 'sec-fetch-site': site } = req.headers;
  if (site === undefined || site === 'same-origin' || site === 'none') return;
  throw new AdminError(403, 'foreign_origin', 'Only the page itself may ask for this');
}

function isOriginOf(origin: string, host: string): boolean {
  return /^https?:\/\/[^/]+$/.test(origin) && lowerAscii(origin).replace(/^https?:\/\//, '') === lowerAscii(host);
}
