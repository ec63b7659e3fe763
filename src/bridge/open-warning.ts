import type { IncomingMessage } from 'node:http';
import type { Logger } from '../core/logger.js';
import type { Caller } from '../core/quota.js';
import { isLoopbackAddress } from '../http/loopback.js';

/**
 * Warns at the first request that comes from another machine, or could, and that no `mcpAuth()` decided on.
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
      `${who}: anonymous callers get in: a request came to ${localAddress}, which other machines can reach, and no mcpAuth() is mounted before it. ` +
        'Mount mcpAuth() before it, listen on 127.0.0.1, or set warnWhenOpen to false where something else checks who calls',
    );
  };
}
