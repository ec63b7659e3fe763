import type { IncomingMessage } from 'node:http';
import type { AuthInfo } from '../../core/auth-info.js';
import { createFailureLine } from '../../core/failure-line.js';
import type { Logger } from '../../core/logger.js';
import { settleInTime } from '../../core/settle-in-time.js';
import { BridgeError } from '../../messages/bridge-error.js';
import { createChecks } from '../../options/checks.js';
import type { HeaderRecord } from '../../targets/http/exchange.js';
import type { CallerTokens } from './caller-token.js';
import { type HeaderFunction, requireHeaderRecord } from './read-http-options.js';

/** The options from which the headers are built. */
export interface CallerHeaderOptions {
  readonly headers: HeaderRecord | HeaderFunction;
  readonly bearer: string | undefined;
  readonly logger: Logger;
}

/**
 * Creates the function that builds the headers which tell the target who is calling. It rejects with a `BridgeError` if that fails:
 * without these headers, the target would take the caller for another one.
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
    const returned = await settleInTime('headers()', headers(auth, req));
    for (const [name, value] of requireHeaderRecord(checks, returned, 'headers()')) {
      if (made.has(name))
        checks.refuse('headers()', 'other headers than bearer and callerToken set', name, 'Remove it.');
      made.set(name, value);
    }
    return made;
  };
  const log = createFailureLine('headers()', `${who}: a request is answered 502 (caller_headers_failed)`, logger);
  return async (auth, req) => {
    try {
      return await make(auth, req);
    } catch (thrown) {
      log(thrown);
      throw new BridgeError('caller_headers_failed');
    }
  };
}
