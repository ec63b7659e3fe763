/** Writes the IPv6 form of an IPv4 address, which a socket of both has, as IPv4: `::ffff:127.0.0.1`. Other addresses stay as they are. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}
