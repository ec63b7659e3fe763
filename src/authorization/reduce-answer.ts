import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../core/logger.js';
import type { ReceivedBody } from '../messages/calls-in-body.js';
import type { McpCall } from '../messages/mcp-call.js';
import { errorResponse } from '../messages/message-errors.js';
import { MESSAGE_REFUSALS } from '../messages/message-refusal.js';
import { observedCalls } from '../telemetry/observe-calls.js';
import { endOfRefusal } from '../telemetry/outcomes.js';
import { filterAnswer } from './answer-filter.js';
import type { RequestAuthorizer } from './call-authorizer.js';
import { isRounded } from './json-rpc-refusal.js';
import { filterLists } from './list-filter.js';

interface Context {
  readonly who: string;
  /** True if entries that the caller may not use are removed from lists. */
  readonly hide: boolean;
  readonly authorizer: RequestAuthorizer;
  readonly logger: Logger;
  /** Logs why the decision on an entry failed. */
  readonly logFailure: (thrown: unknown) => void;
  /** The calls of the request; undefined for a request without a message, whose answer may be a page. */
  readonly body?: ReceivedBody;
}

/**
 * Removes the entries that the caller may not use from the lists in an answer, and marks its results so that no cache gives them to another
 * caller. An unreadable answer may contain such a list or result, so it is not passed on.
 */
export function reduceAnswer(
  req: IncomingMessage,
  res: ServerResponse,
  { who, hide, authorizer, logger, logFailure, body }: Context,
): void {
  const shows = (call: McpCall): boolean => {
    try {
      return authorizer.shows(call);
    } catch (error) {
      // The server may answer in a timer, where an exception would end the process.
      logFailure(error);
      return false;
    }
  };
  // The filter cannot read an answer that a compression middleware has compressed.
  delete req.headers['accept-encoding'];
  const { code, message } = MESSAGE_REFUSALS.unreadable_answer;
  filterAnswer(res, {
    rewrite: (json) => filterLists(json, hide ? shows : undefined),
    refuse: (fault) => {
      observedCalls(req)?.endAll(endOfRefusal('unreadable_answer'));
      const reason = hide ? 'hide is on' : 'caches must not share what rules decide on,';
      logger.error(`${who}: unreadable_answer: ${reason} and the MCP server's answer cannot be read: ${fault}`);
      return errorResponse(idOf(body), { code, message, data: { reason: 'unreadable_answer' } });
    },
    mayBePage: body === undefined,
  });
}

/** The id of the request; undefined for a notification, a batch of several messages, or an id that JSON parsing has rounded. */
function idOf(body: ReceivedBody | undefined): string | undefined {
  const [call, ...more] = body?.calls ?? [];
  const id = more.length === 0 ? call?.id : undefined;
  return id === undefined || isRounded(id) ? undefined : JSON.stringify(id);
}
