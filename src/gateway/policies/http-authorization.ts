import { createHttpAuthorizer, resolveHttpRules } from '../../authorization/http-authorizer.js';
import { createRareLine } from '../../core/rare-line.js';
import { replyJson } from '../../http/reply.js';
import { getAuth, type Logger, type Middleware } from '../../index.js';
import type { HttpRulesConfig } from '../config/http-rules.js';
import { atPlace } from '../startup-error.js';

const DENIED = JSON.stringify({ error: 'access_denied', error_description: 'A rule denies this request' });

/** Decides by the rules of `authorization` on every request of a route, whatever it carries. */
export function authorizeRequests(blocks: readonly HttpRulesConfig[], logger: Logger): Middleware[] {
  if (blocks.length === 0) return [];
  // Each block is checked alone, so that messages count the rules of their own place.
  const rules = blocks.flatMap(({ rules, at: block }) =>
    atPlace(block, () => resolveHttpRules(rules)).map((rule) => ({ ...rule, at: `${block}.${rule.at}` })),
  );
  const isAllowed = createHttpAuthorizer(rules, logger);
  const places = blocks.map(({ at }) => at).join(' and ');
  const report = createRareLine((line) => logger.info(line));
  return [
    (req, res, next) => {
      if (isAllowed(req, getAuth(req))) next();
      else {
        report(`${places}: answered 403 (access_denied): no rule allows a request, or one denies it`);
        replyJson(res, 403, DENIED);
      }
    },
  ];
}
