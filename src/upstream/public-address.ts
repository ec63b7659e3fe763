import { BlockList, isIP, isIPv4 } from 'node:net';

/** IPv4 networks outside the public internet (RFC 6890 and the IANA registry of special-purpose addresses). */
const NOT_PUBLIC_V4 = [
  ['0.0.0.0', 8], // this host; Linux connects to itself
  ['10.0.0.0', 8], // private (RFC 1918)
  ['100.64.0.0', 10], // carrier-grade NAT (RFC 6598); also metadata services (100.100.100.200)
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local; metadata services (169.254.169.254)
  ['172.16.0.0', 12], // private (RFC 1918)
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16], // private (RFC 1918)
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved; broadcast
] as const;

/** The only IPv6 networks in which an address may be public: global unicast (RFC 4291), and IPv4 in IPv6. */
const MAYBE_PUBLIC_V6 = [
  ['2000::', 3],
  ['::ffff:0:0', 96], // IPv4-mapped
  ['64:ff9b::', 96], // NAT64 (RFC 6052)
] as const;

/** Networks within {@link MAYBE_PUBLIC_V6} that are not public. */
const NOT_PUBLIC_V6 = [
  ['2001::', 23], // protocol assignments, Teredo among them
  ['2001:db8::', 32], // documentation
  ['3fff::', 20], // documentation
] as const;

const PUBLIC_V6 = new BlockList();
for (const [network, prefix] of MAYBE_PUBLIC_V6) PUBLIC_V6.addSubnet(network, prefix, 'ipv6');

const NOT_PUBLIC = new BlockList();
for (const [network, prefix] of NOT_PUBLIC_V6) NOT_PUBLIC.addSubnet(network, prefix, 'ipv6');
for (const [network, prefix] of NOT_PUBLIC_V4) {
  NOT_PUBLIC.addSubnet(network, prefix, 'ipv4');
  // The same network in IPv6: mapped, translated (NAT64), and tunnelled (6to4, RFC 3056).
  NOT_PUBLIC.addSubnet(`::ffff:${network}`, 96 + prefix, 'ipv6');
  NOT_PUBLIC.addSubnet(`64:ff9b::${network}`, 96 + prefix, 'ipv6');
  NOT_PUBLIC.addSubnet(`2002:${hexOf(network)}::`, 16 + prefix, 'ipv6');
}

function hexOf(address: string): string {
  const [a, b, c, d] = address.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'));
  return `${a}${b}:${c}${d}`;
}

/**
 * True if an IP address belongs to the public internet: not loopback, private, link-local or reserved, in IPv4 and in every
 * IPv6 form of IPv4. It takes no names, since a name may resolve differently the second time: resolve the name, check every
 * address, and connect to one of them (`guardedFetch()`).
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !NOT_PUBLIC.check(address, 'ipv4');
  // An address with a zone is link-local.
  if (isIP(address) !== 6 || address.includes('%')) return false;
  return PUBLIC_V6.check(address, 'ipv6') && !NOT_PUBLIC.check(address, 'ipv6');
}
