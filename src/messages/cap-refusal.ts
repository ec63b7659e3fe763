import type { Logger } from '../core/logger.js';
import type { Cap, QuotaRefusal } from '../core/quota.js';
import { BridgeError, type BridgeErrorCode } from './bridge-error.js';

const CODES: Readonly<Record<Cap, BridgeErrorCode>> = {
  user: 'too_many_sessions_of_user',
  anonymous: 'too_many_sessions_of_anonymous',
  all: 'too_many_sessions',
};
const QUIET_MS = 60_000;

/**
 * Creates the function that turns a reached limit into an error for the caller. It logs each limit at most once a minute.
 *
 * @param who The function that refuses them, for example `mcpStdioBackend()`.
 * @param maxStopSeconds How long a child may take to end.
 */
export function createCapRefusal(
  who: string,
  logger: Logger,
  maxStopSeconds: number | null = null,
): (refusal: QuotaRefusal) => BridgeError {
  const loggedAt = new Map<Cap, number>();
  return ({ cap, isEnding }) => {
    // If clients use all sessions, one may become free at any time or not for hours: then there is no Retry-After.
    const error = new BridgeError(CODES[cap], { retryAfterSeconds: isEnding ? maxStopSeconds : null });
    const now = performance.now();
    if (now - (loggedAt.get(cap) ?? Number.NEGATIVE_INFINITY) >= QUIET_MS) {
      loggedAt.set(cap, now);
      const why = isEnding ? 'earlier child processes are still ending' : 'clients use all of them';
      logger.warn(`${who}: refused a caller with ${error.status}: ${error.message}, and ${why}`);
    }
    return error;
  };
}
