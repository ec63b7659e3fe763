import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AuthInfo, getAuth } from '../core/auth-info.js';
import { createFailureLine } from '../core/failure-line.js';
import type { Logger } from '../core/logger.js';
import { withdrawalOf } from '../core/token-validity.js';
import { BodyError } from '../http/body.js';
import { failRequest } from '../http/fail-request.js';
import { asError, type Middleware } from '../http/middleware.js';
import type { ReceivedBody } from '../messages/calls-in-body.js';
import { MessageError, reject } from '../messages/message-refusal.js';
import { createMessageRefusalLog, type MessageRefusalLog } from '../messages/message-refusal-log.js';
import { lacksMessage, readReceivedMessage } from '../messages/received-message.js';
import { type Refuser, refuserOf } from '../oauth/refusal.js';
import type { CallOptions } from '../telemetry/call-record.js';
import { endOfWithdrawal } from '../telemetry/outcomes.js';
import { arrivalTime, nextInSpan, observeReceived, observeWithoutMessage } from '../telemetry/received-calls.js';
import type { Denial, RequestAuthorizer } from './call-authorizer.js';
import { isCacheable } from './is-cacheable.js';
import { LIST_METHODS } from './list-filter.js';
import { reduceAnswer } from './reduce-answer.js';

/** A request on whose calls a policy decides. */
export interface CallContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly next: (error?: unknown) => void;
  readonly refuse: Refuser;
}

export interface AuthorizationPolicy {
  /** The public function, for messages: `mcpScopes()`. */
  readonly who: string;
  readonly hide: boolean;
  readonly maxBodyBytes: number;
  readonly logger: Logger;
  readonly calls: CallOptions;
  readonly authorizerFor: (req: IncomingMessage, auth: AuthInfo | undefined) => RequestAuthorizer;
  readonly answerDenial: (context: CallContext, body: ReceivedBody, denial: Denial) => void;
}

/** Creates the middleware that reads the calls of a request, refuses it if one of them is denied, and reduces its answer to what the caller may see. */
export function createAuthorizationMiddleware(policy: AuthorizationPolicy): Middleware {
  const { who, hide, logger } = policy;
  const report = createMessageRefusalLog(who, logger);
  const logFailure = createFailureLine(
    'the decision',
    `${who}: an entry of a list is hidden, because the decision on it failed`,
    logger,
  );

  return function authorizationMiddleware(req, res, next) {
    let refuse: Refuser;
    try {
      refuse = requireRefuser(req, who);
    } catch (error) {
      // Passed to `next` and not thrown: bare node:http catches nothing, so the process would end.
      next(error);
      return;
    }
    if (lacksMessage(req)) {
      observeWithoutMessage(req, res);
      // A resumed event stream may repeat the answer to a list request.
      if (hide && req.method === 'GET')
        reduceAnswer(req, res, { who, logger, logFailure, hide, authorizer: policy.authorizerFor(req, getAuth(req)) });
      next();
    } else {
      decide({ req, res, next, refuse }, policy, { report, logFailure }).catch((error: unknown) =>
        failRequest(res, next, asError(error, who)),
      );
    }
  };
}

function requireRefuser(req: IncomingMessage, who: string): Refuser {
  const refuse = refuserOf(req);
  if (refuse !== undefined) return refuse;
  throw new Error(
    `${who}: no mcpAuth() has handled this request; mount mcpAuth() before ${who}, and after any middleware that replaces the request object`,
  );
}

interface Logs {
  readonly report: MessageRefusalLog;
  readonly logFailure: (thrown: unknown) => void;
}

async function decide(context: CallContext, policy: AuthorizationPolicy, { report, logFailure }: Logs): Promise<void> {
  const { req, res, next, refuse } = context;
  const { who, hide, logger } = policy;
  const since = arrivalTime(policy.calls);
  let body: ReceivedBody;
  try {
    body = await readReceivedMessage(req, policy.maxBodyBytes);
  } catch (error) {
    report(error);
    if (error instanceof MessageError || error instanceof BodyError) reject(res, error);
    else next(asError(error, who));
    return;
  }
  const calls = observeReceived(req, res, policy.calls, body, since);
  const auth = getAuth(req);
  // mcpAuth() checked the token before the body arrived. It may have been revoked in the meantime.
  const withdrawal = withdrawalOf(auth);
  if (withdrawal !== undefined) {
    calls?.endAll(endOfWithdrawal(withdrawal));
    refuse(req, res, withdrawal, { scopes: [] });
    return;
  }
  const authorizer = policy.authorizerFor(req, auth);
  const denial = authorizer.authorize(body.calls);
  if (denial !== undefined) {
    // The answer need not say so: an operator learns it here.
    calls?.endAll({ outcome: 'denied', code: denial.code });
    policy.answerDenial(context, body, denial);
    return;
  }
  const mayList = req.method === 'GET' || body.calls.some(({ method }) => LIST_METHODS.has(method));
  const mayBeCached = body.calls.some((call) => isCacheable(req, call) && authorizer.restricts(call));
  const hides = hide && mayList;
  if (hides || mayBeCached) reduceAnswer(req, res, { who, logger, logFailure, hide: hides, authorizer, body });
  nextInSpan(req, next);
}
