import { isIPv4 } from 'node:net';
import { plainAddress } from './plain-address.js';

/** True if a host, as spelt in a URL or a `Host` header, is this machine (RFC 6761, section 6.3; RFC 1122, section 3.2.1.3). */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || isLoopbackV4(host);
}

/** True if a socket's address is a loopback address. Accepts the IPv4-mapped spelling of dual-stack sockets (`::ffff:127.0.0.1`). */
export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || isLoopbackV4(plainAddress(address));
}

function isLoopbackV4(text: string): boolean {
  return text.startsWith('127.') && isIPv4(text);
}
