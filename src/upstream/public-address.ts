import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type IPv6 = InstanceType<typeof ipaddr.IPv6>;

/** The only IPv6 network in which addresses are public (RFC 4291). ipaddr.js calls unassigned networks `unicast` too. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** The address of Azure's own services in each of its virtual networks. It is a public one, which serves no others. */
const AZURE_PLATFORM = '168.63.129.16';

/** IPv6 networks in which an address contains an IPv4 address, and the bit at which that begins. Connections reach the IPv4 address. */
const CONTAINERS = [
  [ipaddr.IPv6.parseCIDR('::ffff:0:0/96'), 96], // IPv4-mapped
  [ipaddr.IPv6.parseCIDR('64:ff9b::/96'), 96], // translated: NAT64 (RFC 6052)
  [ipaddr.IPv6.parseCIDR('2002::/16'), 16], // tunnelled: 6to4 (RFC 3056)
] as const;

/**
 * True if an IP address belongs to the public internet: not loopback, private, link-local or reserved, in IPv4 and in every
 * IPv6 form of IPv4. It takes no names, since a name may resolve differently the second time: resolve the name, check every
 * address, and connect to one of them (`guardedFetch()`).
 */
export function isPublicAddress(address: string): boolean {
  // ipaddr.js also parses octal numbers and integers.
  const version = isIP(address);
  if (version === 4) return isPublicV4(ipaddr.IPv4.parse(address));
  // An address with a zone is link-local.
  if (version !== 6 || address.includes('%')) return false;
  // ipaddr.js takes `::1.1.1.1` for an IPv4-mapped address. `URL` writes it without dots.
  const parsed = ipaddr.IPv6.parse(new URL(`http://[${address}]`).hostname.slice(1, -1));
  const container = CONTAINERS.find(([network]) => parsed.match(network));
  if (container !== undefined) return isPublicV4(v4At(parsed, container[1]));
  // Teredo, IPv4-compatible addresses, and NAT64 with a prefix of a local network (64:ff9b:1::/48) are not public, whatever they contain.
  return parsed.match(GLOBAL_UNICAST) && parsed.range() === 'unicast';
}

function isPublicV4(address: InstanceType<typeof ipaddr.IPv4>): boolean {
  return address.range() === 'unicast' && address.toString() !== AZURE_PLATFORM;
}

function v4At(address: IPv6, bit: number): InstanceType<typeof ipaddr.IPv4> {
  return new ipaddr.IPv4(address.toByteArray().slice(bit / 8, bit / 8 + 4));
}
