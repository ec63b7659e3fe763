import type { IncomingMessage } from 'node:http';
import type { AuthInfo } from '../../core/auth-info.js';
import type { Logger } from '../../core/logger.js';
import { printable } from '../../core/printable.js';
import { createRareLine } from '../../core/rare-line.js';
import { asError } from '../../http/middleware.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { createChecks } from '../../options/checks.js';
import type { HeaderRecord } from '../../targets/http/exchange.js';
import type { CallerTokens } from './caller-token.js';
import { type HeaderFunction, requireHeaderRecord } from './read-http-options.js';

/** Milliseconds until the function must have settled. */
const MAX_MS = 10_000;

/** Characters of an error's name and message in the log. */
const MAX_NAME_LENGTH = 80;
const MAX_MESSAGE_LENGTH = 300;

/** The options that make headers. */
export interface CallerHeaderOptions {
  readonly headers: HeaderRecord | HeaderFunction;
  readonly bearer: string | undefined;
  readonly logger: Logger;
}

/**
 * Creates the function that makes the headers which tell the target who is calling. It rejects with a `BridgeError` if that fails:
 * without them, the target would take the caller for another one.
 *
 * @param who The function that the target belongs to, in messages.
 */
export function createCallerHeaders(
  { headers, bearer, logger }: CallerHeaderOptions,
  tokens: CallerTokens | undefined,
  who = 'mcpHttpBackend()',
): (auth: AuthInfo | undefined, req?: IncomingMessage) => HeaderRecord | Promise<HeaderRecord> {
  const checks = createChecks(who);
  const fixed = new Map(typeof headers === 'function' ? [] : headers);
  if (bearer !== undefined) fixed.set('authorization', `Bearer ${bearer}`);
  if (typeof headers !== 'function' && tokens === undefined) return () => fixed;

  const make = async (auth: AuthInfo | undefined, req?: IncomingMessage): Promise<HeaderRecord> => {
    const made = new Map(fixed);
    if (tokens !== undefined) made.set('authorization', await tokens.authorizationFor(auth));
    if (typeof headers !== 'function') return made;
    for (const [name, value] of requireHeaderRecord(checks, await inTime(headers(auth, req)), 'headers()')) {
      if (made.has(name))
        checks.refuse('headers()', 'other headers than bearer and callerToken set', name, 'Remove it.');
      made.set(name, value);
    }
    return made;
  };
  const log = createFailureLine(who, logger);
  return async (auth, req) => {
    try {
      return await make(auth, req);
    } catch (thrown) {
      log(thrown);
      throw new BridgeError('caller_headers_failed');
    }
  };
}

/** Creates the function that logs why headers could not be made. The message may contain text of a client, and may be long. */
function createFailureLine(who: string, logger: Logger): (thrown: unknown) => void {
  const log = createRareLine((line) => logger.error(line));
  return (thrown) => {
    const { name, message } = asError(thrown, 'headers()');
    const error = `${printable(name, MAX_NAME_LENGTH)}: ${printable(message, MAX_MESSAGE_LENGTH)}`;
    log(`${who}: a request is answered 502 (caller_headers_failed): ${error}`);
  };
}

function inTime(value: unknown): unknown {
  // `await` accepts promises of every library.
  if (typeof (value as PromiseLike<unknown> | undefined)?.then !== 'function') return value;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`headers() did not settle within ${MAX_MS / 1_000} seconds`)), MAX_MS);
    timer.unref();
  });
  return Promise.race([value, tooLate]).finally(() => clearTimeout(timer));
}
