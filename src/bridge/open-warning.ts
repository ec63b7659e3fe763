import type { IncomingMessage } from 'node:http';
import type { Logger } from '../core/logger.js';
import type { Caller } from '../core/quota.js';
import { isLoopbackAddress } from '../http/loopback.js';

/** The options that the warning depends on. */
export interface OpenWarningOptions {
  readonly logger: Logger;
  readonly warnWhenOpen: boolean;
  /** The options that send credentials of this server to the MCP server. */
  readonly credentials?: readonly string[];
}

/**
 * Warns once, at the first request that no `mcpAuth()` handled: at an address that other machines can reach, and at every address if
 * the MCP server gets credentials of this server. A reverse proxy or tunnel on this machine also connects to a loopback address.
 *
 * @param who The function that gets the request, in the log.
 */
export function createOpenWarning(
  who: string,
  { logger, warnWhenOpen, credentials = [] }: OpenWarningOptions,
): (req: IncomingMessage, caller: Caller) => void {
  let isDue = warnWhenOpen;
  return ({ socket }, { isChecked }) => {
    if (!isDue || isChecked) return;
    const reason = credentials.length > 0 ? sharedBy(credentials) : reachedFromOutside(socket.localAddress);
    if (reason === undefined) return;
    isDue = false;
    logger.warn(
      `${who}: anyone can call this MCP server${reason}, or set warnWhenOpen to false if something else authenticates the callers`,
    );
  };
}

function sharedBy(credentials: readonly string[]): string {
  return (
    `, which trusts the ${credentials.join(' and ')} of this server: a request arrived, and no mcpAuth() is mounted before it. ` +
    'Mount mcpAuth() before it'
  );
}

function reachedFromOutside(address: string | undefined): string | undefined {
  // A listener on a Unix socket has no address, and no other machine reaches it.
  if (address === undefined || isLoopbackAddress(address)) return undefined;
  return (
    `: a request arrived at ${address}, which other machines can reach, and no mcpAuth() is mounted before it. ` +
    'Mount mcpAuth() before it, listen on 127.0.0.1'
  );
}
