import { createHttpAuthorizer } from '../../authorization/http-authorizer.js';
import { createRareLine } from '../../core/rare-line.js';
import { replyJson } from '../../http/reply.js';
import { getAuth, type Logger, type Middleware } from '../../index.js';
import type { HttpRulesConfig } from '../config/http-rules.js';
import { atPlace } from '../startup-error.js';

const DENIED = JSON.stringify({ error: 'access_denied', error_description: 'A rule denies this request' });

/** Decides by the rules of `authorization` on every request of a route, whatever it carries. */
export function authorizeRequests(blocks: readonly HttpRulesConfig[], logger: Logger): Middleware[] {
  const [first] = blocks;
  if (first === undefined) return [];
  // Each block is checked alone, so that a message counts the rules of its own place.
  for (const { rules, at } of blocks) atPlace(at, () => createHttpAuthorizer(rules, logger));
  const isAllowed = createHttpAuthorizer(
    blocks.flatMap(({ rules }) => rules),
    logger,
  );
  const report = createRareLine((line) => logger.info(line));
  return [
    (req, res, next) => {
      if (isAllowed(req, getAuth(req))) next();
      else {
        report(`${first.at}: answered 403 (access_denied): no rule allows a request, or one denies it`);
        replyJson(res, 403, DENIED);
      }
    },
  ];
}
