import { asError } from '../http/middleware.js';
import type { Logger } from './logger.js';
import { printable } from './printable.js';
import { createRareLine } from './rare-line.js';

/** Characters of an error's name and message in the log. */
const MAX_NAME_LENGTH = 80;
const MAX_MESSAGE_LENGTH = 300;

/**
 * Creates the function that logs why a function of the application failed, once a minute. The message may contain text of a client, and
 * may be long.
 *
 * @param callback The application's function: `headers()`.
 * @param line The beginning of the line: who answers what.
 */
export function createFailureLine(callback: string, line: string, logger: Logger): (thrown: unknown) => void {
  const log = createRareLine((text) => logger.error(text));
  return (thrown) => {
    const { name, message } = asError(thrown, callback);
    log(`${line}: ${printable(name, MAX_NAME_LENGTH)}: ${printable(message, MAX_MESSAGE_LENGTH)}`);
  };
}
