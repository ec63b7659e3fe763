import { isIPv4 } from 'node:net';

/** True if a host, as a URL or a `Host` header spells it, is this machine (RFC 6761, section 6.3; RFC 1122, section 3.2.1.3). */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || isLoopbackV4(host);
}

/** True if an address of a socket is of this machine alone; also where a socket for both protocols spells the older one. */
export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || isLoopbackV4(address.replace(/^::ffff:/, ''));
}

function isLoopbackV4(text: string): boolean {
  return text.startsWith('127.') && isIPv4(text);
}
