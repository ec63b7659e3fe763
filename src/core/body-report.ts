import { BodyError, reportBody } from '../http/body.js';
import type { Logger } from './logger.js';
import { createRareLine } from './rare-line.js';

/**
 * Logs bodies that failed through no fault of the client. Logs bodies that were refused because too many arrived, once a minute.
 *
 * @param who The function that needs the bodies, for example `mcpScopes()`.
 */
export function createBodyReport(who: string, logger: Logger): (error: unknown) => void {
  const warn = createRareLine((line) => logger.warn(line));
  return (error) => {
    reportBody(error, who, logger.error);
    if (error instanceof BodyError && error.status === 503)
      warn(`${who}: request bodies are refused with 503, since too many are arriving at once`);
  };
}
