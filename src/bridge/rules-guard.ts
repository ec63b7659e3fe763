import type { Logger } from '../core/logger.js';
import { createRareLine } from '../core/rare-line.js';
import { hadRulesWithoutTargets } from '../core/rules-without-targets.js';
import type { Middleware } from '../http/middleware.js';

const FAULT =
  'mcpAuthorization() without backend decided on this request, so its rules saw the names of clients, not those of the targets; ' +
  'give mcpAuthorization() this backend';

/** Refuses requests that rules without targets decided on: they may have allowed what a rule about a target's own name denies. */
export function refuseRulesWithoutTargets(who: string, middleware: Middleware, logger: Logger): Middleware {
  const report = createRareLine((line) => logger.error(line));
  return function mcpBackendMiddleware(req, res, next) {
    if (!hadRulesWithoutTargets(req)) {
      middleware(req, res, next);
      return;
    }
    report(`${who}: ${FAULT}`);
    next(new Error(`${who}: ${FAULT}`));
  };
}
