import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';

/**
 * Returns the network of an anonymous caller: an IPv4 address, or the first 56 bits of an IPv6 address, since one customer may have
 * all addresses that begin with them. Express's `trust proxy` decides whether headers of a proxy count.
 */
export function callerNetwork(req: IncomingMessage): string {
  const { ip } = req as { ip?: unknown };
  return networkOf(typeof ip === 'string' ? ip : (req.socket.remoteAddress ?? ''));
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** An address with the port of the connection, as some proxies write it. A caller opens as many connections as it likes. */
const WITH_PORT = /^(?:(\d+\.\d+\.\d+\.\d+):\d+|\[([\da-f:.]+)\](?::\d+)?)$/i;

export function networkOf(given: string): string {
  const [, v4, v6] = WITH_PORT.exec(given) ?? [];
  const address = v4 ?? v6 ?? given;
  const [, mapped] = MAPPED.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  const [plain = ''] = address.split('%');
  if (!isIPv6(plain)) return address;
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array<string>(8 - Math.min(8, left.length + right.length)).fill('0'), ...right];
  const [a, b, c, d] = groups.map((group) => Number.parseInt(group, 16)) as [number, number, number, number];
  return [a, b, c, d & 0xff_00].map((group) => group.toString(16)).join(':');
}
