import type { ServerResponse } from 'node:http';
import { type Logger, withFields } from '../../core/logger.js';
import { printable } from '../../core/printable.js';
import { createCountedLines } from '../../core/rare-line.js';
import { isAnswered } from '../../http/answered.js';
import { asError } from '../../http/middleware.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { replyBridgeError } from '../../messages/reply-error.js';

/** Ends an answer because a function of the application threw while it was written, or only logs that if the answer is complete. Never throws. */
export type BreakOff = (res: ServerResponse, thrown: unknown) => void;

const FIX =
  'a function of the application that replaces a method of the response (a compression, a logger) must not throw';

/**
 * Creates the function that ends answers which cannot be written: with 500 if nothing was sent yet, otherwise by cutting them off. It is for
 * data events and timers, where the exception would end the process. `next(error)` does not help there: if the error handler throws too,
 * Express does not catch it, and the process ends.
 *
 * @param who The backend's function, in the log.
 */
export function createBreakOff(who: string, logger: Logger): BreakOff {
  const count = createCountedLines<string>();
  const log = withFields(logger, { code: 'answer_failed' });
  return (res, thrown) => {
    const what = res.writableEnded ? 'a function failed after the end of an answer' : 'an answer failed';
    count('answer_failed', (more) => log.error(`${who}: ${what} (answer_failed): ${placeOf(thrown)}: ${FIX}${more}`));
    try {
      if (!isAnswered(res)) {
        // A session whose opening fails is ended.
        res.removeHeader('mcp-session-id');
        replyBridgeError(res, new BridgeError('answer_failed'));
        // Some middlewares end an answer later than they are told to (express-session, compression), and some only once.
        setTimeout(() => res.writableEnded || res.destroy(), MAX_END_MS).unref();
        return;
      }
    } catch {
      // The function throws each time.
    }
    // A regular end would tell the client that the answer is complete.
    if (!res.writableEnded) res.destroy();
  };
}

/** The time in which a middleware must end an answer that was handed to it. */
const MAX_END_MS = 10_000;
/** Characters. */
const MAX_PLACE = 300;

/** The name of an error and the function that threw it. Not its message, which may repeat what the function was given: a header, a body. */
function placeOf(thrown: unknown): string {
  const error = asError(thrown, 'the application');
  // An error that only stands for a thrown value has the place where it was made for that.
  const frame = error === thrown ? frameOf(error) : undefined;
  return printable(frame === undefined ? error.name : `${error.name} at ${frame}`, MAX_PLACE);
}

function frameOf(error: Error): string | undefined {
  try {
    const { message, stack } = error;
    if (typeof stack !== 'string') return undefined;
    return /\n {4}at (.+)/.exec(stack.slice(stack.indexOf(message) + message.length))?.[1];
  } catch {
    // A getter of the application.
    return undefined;
  }
}
