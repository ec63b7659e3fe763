import { Resolver } from 'node:dns/promises';
import type { Resolve } from './name-lookup.js';

/** Two attempts, before the call that needs the address ends. */
const SETTINGS = { timeout: 1_000, tries: 2 };

/**
 * Creates the function that asks DNS for the addresses of a name that someone else chose, and reads no files of this machine. The
 * `lookup()` of Node blocks one of its four threads until DNS answers: four slow names would stop all file access of the process.
 *
 * @param servers Addresses with ports. @default those of the system
 */
export function createDnsResolve(servers?: readonly string[]): Resolve {
  return async (name) => {
    // A new one, because the servers of the system may have changed.
    const resolver = new Resolver(SETTINGS);
    if (servers !== undefined) resolver.setServers(servers);
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const addresses = [
      ...fulfilled(v4).map((address) => ({ address, family: 4 })),
      ...fulfilled(v6).map((address) => ({ address, family: 6 })),
    ];
    if (addresses.length === 0 && v4.status === 'rejected') throw v4.reason;
    return addresses;
  };
}

function fulfilled(result: PromiseSettledResult<readonly string[]>): readonly string[] {
  return result.status === 'fulfilled' ? result.value : [];
}
