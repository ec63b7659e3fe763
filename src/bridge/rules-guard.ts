import type { Logger } from '../core/logger.js';
import { createRareLine } from '../core/rare-line.js';
import { hadRulesWithoutTargets } from '../core/rules-without-targets.js';
import type { Middleware } from '../http/middleware.js';

const FAULT =
  'mcpAuthorization() without backend decided on this request, so its rules saw the names that clients use, and not those of the targets; ' +
  'give mcpAuthorization() this backend';

/** Refuses requests on which rules without targets decided: they may have allowed a call that a rule about the target's own name denies. */
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
