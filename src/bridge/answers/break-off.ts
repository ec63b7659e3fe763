import type { ServerResponse } from 'node:http';
import { type Logger, withFields } from '../../core/logger.js';
import { printable } from '../../core/printable.js';
import { createCountedLines } from '../../core/rare-line.js';
import { asError } from '../../http/middleware.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { replyBridgeError } from '../../messages/reply-error.js';

/** Ends an answer because a function of the application threw while it was written. Never throws. */
export type BreakOff = (res: ServerResponse, thrown: unknown) => void;

const FIX =
  'a function of the application that replaces a method of the response (a compression, a logger) must not throw';

/**
 * Creates the function that ends answers which cannot be written: with 500 if nothing was sent yet, otherwise by cutting them off. It is for
 * data events and timers, where the exception would end the process. `next(error)` is no way out there: Express lets an error handler
 * that fails too end the process.
 *
 * @param who The backend's function, in the log.
 */
export function createBreakOff(who: string, logger: Logger): BreakOff {
  const count = createCountedLines<string>();
  const log = withFields(logger, { code: 'answer_failed' });
  return (res, thrown) => {
    count('answer_failed', (more) =>
      log.error(`${who}: an answer failed (answer_failed): ${placeOf(thrown)}: ${FIX}${more}`),
    );
    try {
      replyBridgeError(res, new BridgeError('answer_failed'));
    } catch {
      // The function throws each time.
    }
    // A regular end would tell the client that the answer is complete.
    if (!res.writableEnded) res.destroy();
  };
}

/** Characters. */
const MAX_PLACE = 300;

/** The name of an error and the function that threw it. Not its message, which may repeat what the function was given: a header, a body. */
function placeOf(thrown: unknown): string {
  const { name, message, stack = '' } = asError(thrown, 'the application');
  const [, frame] = /\n {4}at (.+)/.exec(stack.slice(stack.indexOf(message) + message.length)) ?? [];
  return printable(frame === undefined ? name : `${name} at ${frame}`, MAX_PLACE);
}
