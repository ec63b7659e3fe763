import { type Advice, withWrittenNames } from '../core/advice.js';
import { type Logger, withFields } from '../core/logger.js';
import type { Cap, QuotaRefusal } from '../core/quota.js';
import { createCountedLines } from '../core/rare-line.js';
import { BridgeError, type BridgeErrorCode } from './bridge-error.js';
import { adviceOn } from './refusal-advice.js';

const CODES: Readonly<Record<Cap, BridgeErrorCode>> = {
  user: 'too_many_sessions_of_user',
  anonymous: 'too_many_sessions_of_anonymous',
  all: 'too_many_sessions',
};

/**
 * Creates the function that turns a reached limit into an error for the caller. It logs each limit at most once a minute.
 *
 * @param who The function that refuses the caller, for example `mcpStdioBackend()`.
 * @param advice The names of options in the user's form.
 * @param maxStopSeconds Seconds that a child process may take to end; null without child processes.
 */
export function createCapRefusal(
  who: string,
  logger: Logger,
  advice: Pick<Advice, 'names'>,
  maxStopSeconds: number | null = null,
): (refusal: QuotaRefusal) => BridgeError {
  const count = createCountedLines<Cap>();
  return ({ cap, isEnding }) => {
    // If clients use all sessions, one may become free at any time or not for hours: then there is no Retry-After.
    const error = new BridgeError(CODES[cap], { retryAfterSeconds: isEnding ? maxStopSeconds : null });
    count(cap, (more) => {
      const { reason, status, message } = error;
      const why = isEnding ? 'earlier child processes are still ending' : 'clients use all of them';
      const text = withWrittenNames(`${message}, and ${why}: ${adviceOn(reason, status).fix}`, advice);
      withFields(logger, { code: reason }).warn(`${who}: answered ${status} (${reason}): ${text}${more}`);
    });
    return error;
  };
}
