import { isIPv4 } from 'node:net';
import type { RunCommand } from './command-line.js';
import type { GatewayConfig } from './config/gateway-config.js';
import { describeAddress, type ServerAddress } from './config/server-address.js';
import { StartupError } from './startup-error.js';

/** An address that the command opens. */
interface OwnAddress extends ServerAddress {
  /** The key or option that has its port. */
  readonly setting: string;
}

/**
 * Refuses two settings with one address: the second server could not open it, and the message would blame another program. The default admin
 * address may be taken.
 *
 * @throws {StartupError}
 */
export function refuseSameAddresses(config: GatewayConfig, command: RunCommand): void {
  const all = addressesOf(config, command).filter(({ port }) => port !== 0);
  for (const [index, address] of all.entries()) {
    const other = all.slice(0, index).find((earlier) => overlap(earlier, address));
    if (other === undefined) continue;
    const [one, two] = [other, address].map((each) => `${each.setting} (${describeAddress(each)})`);
    throw new StartupError(`${one} and ${two} are one address: choose another port for one of them`);
  }
}

/** Returns the addresses that the command opens. */
export function addressesOf(
  { binds, process }: GatewayConfig,
  { host, devIssuer, process: ofCommand }: RunCommand,
): OwnAddress[] {
  const { admin, health, stats } = process;
  return [
    ...binds.map(({ port, at }) => ({ host, port, setting: `${at}.port` })),
    ...(admin && admin !== 'off' ? [{ ...admin, setting: ofCommand.admin ? '--admin' : 'config.adminAddr' }] : []),
    ...(health ? [{ ...health, setting: ofCommand.health ? '--health' : 'config.readinessAddr' }] : []),
    ...(stats ? [{ ...stats, setting: 'config.statsAddr' }] : []),
    ...(devIssuer ? [{ host: '127.0.0.1', port: devIssuer.port, setting: '--dev-issuer-port' }] : []),
  ];
}

function overlap(one: ServerAddress, other: ServerAddress): boolean {
  if (one.port !== other.port) return false;
  const hosts = [one, other].map(({ host }) => (host === 'localhost' ? '127.0.0.1' : host));
  // A socket of `::` gets the connections of IPv4 too.
  return (
    hosts[0] === hosts[1] || hosts.includes('::') || (hosts.includes('0.0.0.0') && hosts.every((host) => isIPv4(host)))
  );
}
