import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AuthInfo, getAuth } from '../core/auth-info.js';
import { withdrawalOf } from '../core/authority.js';
import { createBodyReport } from '../core/body-report.js';
import type { Logger } from '../core/logger.js';
import { userOf } from '../core/principal.js';
import { alreadyRead, BodyError } from '../http/body.js';
import { carriesBody, isBodyParsed } from '../http/carries-body.js';
import { asError, type Middleware } from '../http/middleware.js';
import { peekBody } from '../http/peek-body.js';
import { type Refuser, refuserOf } from '../oauth/refusal.js';
import type { Denial, RequestAuthorizer } from './call-authorizer.js';
import { parseReceivedBody, type ReceivedBody, readCalls, requireMatchingHeaders } from './calls-in-body.js';
import { hideFrom } from './hidden-answer.js';
import { LIST_METHODS } from './list-filter.js';
import { MessageError, reject } from './message-error.js';

/** A request whose calls are decided on. */
export interface CallContext {
  readonly req: MessageRequest;
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
  readonly authorizerFor: (req: IncomingMessage, auth: AuthInfo | undefined) => RequestAuthorizer;
  readonly answerDenial: (context: CallContext, body: ReceivedBody, denial: Denial) => void;
}

/** Methods that pass without a message. With a body they are checked like a POST, since a server may ignore the method. */
const WITHOUT_MESSAGE = ['GET', 'HEAD', 'DELETE', 'OPTIONS'];

/** Creates the middleware that reads the calls of a request, refuses it if one of them is denied, and filters the lists in its answer. */
export function createAuthorizationMiddleware(policy: AuthorizationPolicy): Middleware {
  const { who, hide, logger } = policy;
  const report = createBodyReport(who, logger);

  return function authorizationMiddleware(req, res, next) {
    let refuse: Refuser;
    try {
      refuse = requireRefuser(req, who);
    } catch (error) {
      // Passed to `next` and not thrown: bare node:http catches nothing, so the process would end.
      next(error);
      return;
    }
    if (WITHOUT_MESSAGE.includes(req.method ?? '') && !carriesBody(req)) {
      // A resumed event stream may repeat the answer to a list request.
      if (hide && req.method === 'GET')
        hideFrom(req, res, { who, logger, authorizer: policy.authorizerFor(req, getAuth(req)) });
      next();
    } else {
      decide({ req, res, next, refuse }, policy, report).catch((error: unknown) => next(asError(error, who)));
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

type MessageRequest = IncomingMessage & { body?: unknown };

async function decide(
  context: CallContext,
  policy: AuthorizationPolicy,
  report: (error: unknown) => void,
): Promise<void> {
  const { req, res, next, refuse } = context;
  const { who, hide, logger } = policy;
  let body: ReceivedBody;
  try {
    body = await readBody(req, policy.maxBodyBytes);
  } catch (error) {
    report(error);
    if (error instanceof MessageError || error instanceof BodyError) reject(res, error);
    else next(asError(error, who));
    return;
  }
  const auth = getAuth(req);
  // mcpAuth() checked the token before the body arrived. It may have been revoked in the meantime.
  const withdrawal = withdrawalOf(auth);
  if (withdrawal !== undefined) {
    refuse(req, res, withdrawal, { scopes: [] });
    return;
  }
  const authorizer = policy.authorizerFor(req, auth);
  const denial = authorizer.authorize(body.calls);
  if (denial !== undefined) {
    policy.answerDenial(context, body, denial);
    return;
  }
  const mayList = req.method === 'GET' || body.calls.some(({ method }) => LIST_METHODS.has(method));
  if (hide && mayList) hideFrom(req, res, { who, logger, authorizer, body });
  next();
}

async function readBody(req: MessageRequest, maxBytes: number): Promise<ReceivedBody> {
  // If a body parser ran before, the server uses its result, so that is what is checked.
  const message = isBodyParsed(req)
    ? parsedBody(req)
    : takeBody(req, await peekBody(req, maxBytes, userOf(getAuth(req))));
  const body = readCalls(message);
  requireMatchingHeaders(body, req.headers);
  return body;
}

/** Parses a body that no middleware has read, and sets `req.body`. The bytes also stay readable from the request. */
function takeBody(req: MessageRequest, bytes: Buffer): unknown {
  const parsed = parseReceivedBody(bytes);
  req.body = parsed;
  return parsed;
}

/** The JSON that an earlier body parser put into `req.body`. */
function parsedBody({ body }: MessageRequest): unknown {
  if (body === undefined) throw alreadyRead();
  return typeof body === 'string' || Buffer.isBuffer(body) ? parseReceivedBody(Buffer.from(body)) : body;
}
