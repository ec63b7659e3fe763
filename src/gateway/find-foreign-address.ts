import { once } from 'node:events';
import { createServer } from 'node:net';
import type { RunCommand } from './command-line.js';
import type { GatewayConfig } from './config/gateway-config.js';
import { describeAddress } from './config/server-address.js';
import { addressesOf } from './same-addresses.js';

/**
 * Resolves to what is wrong with an address that is not one of this machine. Undefined if there is none. Ports may be in use: the command
 * that runs already may have them.
 */
export async function findForeignAddress(config: GatewayConfig, command: RunCommand): Promise<string | undefined> {
  for (const { host, port, setting } of addressesOf(config, command)) {
    if (await isOwnHost(host)) continue;
    const isOfOption = host === command.host && setting.endsWith('.port');
    const address = isOfOption ? `--host ${host}` : `${setting}: ${describeAddress({ host, port })}`;
    return `${address} is not an address of this machine`;
  }
  return undefined;
}

async function isOwnHost(host: string): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(0, host), 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
