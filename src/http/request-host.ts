import type { IncomingMessage } from 'node:http';
import { lowerAscii } from './lower-ascii.js';

/**
 * Returns the host that a request names, with its port: the `Host` header, or `:authority` of HTTP/2 (RFC 9113, section 8.3.1).
 *
 * Empty if there is none, and if the two differ: another reader may take the other one. So a caller must refuse an empty host, as it refuses any
 * string that is not a host.
 */
export function requestHost({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const { host, ':authority': authority } = headers as { readonly host?: string; readonly ':authority'?: string };
  if (host === undefined || authority === undefined) return host ?? authority ?? '';
  return lowerAscii(host) === lowerAscii(authority) ? host : '';
}

/** Returns the name of that host, in lower case and without its port. */
export function requestHostname(req: Pick<IncomingMessage, 'headers'>): string {
  return lowerAscii(requestHost(req)).replace(/:\d{1,5}$/, '');
}
