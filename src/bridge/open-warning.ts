import type { IncomingMessage } from 'node:http';
import type { Logger } from '../core/logger.js';
import type { Caller } from '../core/quota.js';
import { isLoopbackAddress } from '../http/loopback.js';

/**
 * Warns once, at the first request to an address that other machines can reach, if no `mcpAuth()` handled that request.
 *
 * @param who The function that gets the request, in the log.
 */
export function createOpenWarning(
  who: string,
  { logger, warnWhenOpen }: { readonly logger: Logger; readonly warnWhenOpen: boolean },
): (req: IncomingMessage, caller: Caller) => void {
  let isDue = warnWhenOpen;
  return ({ socket }, { isChecked }) => {
    if (!isDue || isChecked) return;
    const { localAddress } = socket;
    // A listener on a Unix socket has no address, and no other machine reaches it.
    if (localAddress === undefined || isLoopbackAddress(localAddress)) return;
    isDue = false;
    logger.warn(
      `${who}: anyone can call this MCP server: a request arrived at ${localAddress}, which other machines can reach, and no mcpAuth() is mounted before it. ` +
        'Mount mcpAuth() before it, listen on 127.0.0.1, or set warnWhenOpen to false if something else authenticates the callers',
    );
  };
}
