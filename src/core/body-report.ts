import { BodyError, reportBody } from '../http/body.js';
import type { Logger } from './logger.js';
import { createRareLine } from './rare-line.js';

/**
 * Logs bodies that cannot be used through no fault of the client; those that were refused to make room, once a minute.
 *
 * @param who The function that needs the bodies, for example `mcpScopes()`.
 */
export function createBodyReport(who: string, logger: Logger): (error: unknown) => void {
  const warn = createRareLine((line) => logger.warn(line));
  return (error) => {
    reportBody(error, who, logger.error);
    if (error instanceof BodyError && error.status === 503)
      warn(`${who}: bodies are refused with 503: ${error.message}`);
  };
}
