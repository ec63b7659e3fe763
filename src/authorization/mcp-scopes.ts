import type { IncomingMessage, ServerResponse } from 'node:http';
import { getAuth } from '../core/auth-info.js';
import { withdrawalOf } from '../core/authority.js';
import { createBodyReport } from '../core/body-report.js';
import { userOf } from '../core/principal.js';
import { alreadyRead, BodyError } from '../http/body.js';
import { carriesBody, isBodyParsed } from '../http/carries-body.js';
import { asError, type Middleware } from '../http/middleware.js';
import { peekBody } from '../http/peek-body.js';
import { replyJson } from '../http/reply.js';
import { type LaterRefuse, refuseOf } from '../oauth/refusal.js';
import { createGrantedScopes } from './granted-scopes.js';
import { hideFrom } from './hidden-answer.js';
import { LIST_METHODS } from './hidden-entries.js';
import { MessageError, reject } from './message-error.js';
import { parseReceivedBody, type ReceivedBody, readCalls, requireMatchingHeaders } from './received-calls.js';
import { createRuleBook } from './rule-book.js';
import { createRuling, describeObjection, type Objection, type Ruling } from './ruling.js';
import { type McpScopesOptions, type ResolvedScopes, resolveScopesOptions, type ScopeRules } from './scopes-options.js';
import { toolErrorFor } from './tool-error.js';

/** Methods that need no message: with a body they are decided on like any other, since a server may not look at the method. */
const WITHOUT_MESSAGE = ['GET', 'HEAD', 'DELETE', 'OPTIONS'];

/**
 * Decides by scopes who may call which tool, read which resource and get which prompt, before the MCP server runs. Mount
 * it on the server's path, after `mcpAuth()`: what it decided on is what the server gets, as `req.body` and as the
 * unread request. A message that two readers could take for two different ones is answered 400.
 *
 * It decides on calls, not on what a tool does with its arguments; a function as a rule can look at those.
 *
 * @throws {ConfigError}
 */
export function mcpScopes(rules: ScopeRules, options: Readonly<McpScopesOptions> = {}): Middleware {
  const held = resolveScopesOptions(rules, options);
  const report = createBodyReport('mcpScopes()', held.logger);
  const ruling = createRuling(createRuleBook(held.rules, held.logger), createGrantedScopes(held.implies));

  return function mcpScopesMiddleware(req, res, next) {
    let refuse: LaterRefuse;
    try {
      refuse = gateOf(req);
    } catch (error) {
      // Not thrown: on bare node:http nobody would catch it.
      next(error);
      return;
    }
    if (WITHOUT_MESSAGE.includes(req.method ?? '') && !carriesBody(req)) {
      // A stream that is resumed may repeat the answer to a list request.
      if (held.hide && req.method === 'GET') hideFrom(req, res, { ruling, logger: held.logger });
      next();
    } else {
      decide({ req, res, next, refuse, report }, held, ruling).catch((error: unknown) =>
        next(asError(error, 'mcpScopes()')),
      );
    }
  };
}

function gateOf(req: IncomingMessage): LaterRefuse {
  const refuse = refuseOf(req);
  if (refuse !== undefined) return refuse;
  throw new Error(
    'mcpScopes(): no mcpAuth() answers for this request; mount it before, and after whatever replaces requests',
  );
}

type MessageRequest = IncomingMessage & { body?: unknown };

interface Passage {
  readonly req: MessageRequest;
  readonly res: ServerResponse;
  readonly next: (error?: unknown) => void;
  readonly refuse: LaterRefuse;
  readonly report: (error: unknown) => void;
}

async function decide(passage: Passage, held: ResolvedScopes, ruling: Ruling): Promise<void> {
  const { req, res, next, refuse, report } = passage;
  let body: ReceivedBody;
  try {
    // A parser that ran before has the last word: what it left is what the server gets.
    body = readCalls(
      isBodyParsed(req) ? parsedBody(req) : takeBody(req, await peekBody(req, held.maxBodyBytes, userOf(getAuth(req)))),
    );
    requireMatchingHeaders(body, req.headers);
  } catch (error) {
    report(error);
    if (error instanceof MessageError || error instanceof BodyError) reject(res, error);
    else next(asError(error, 'mcpScopes()'));
    return;
  }
  const auth = getAuth(req);
  // The token was checked before the body came, which may take its time.
  const withdrawal = withdrawalOf(auth);
  if (withdrawal !== undefined) {
    refuse(req, res, withdrawal, { scopes: [] });
    return;
  }
  const objection = ruling(auth, body.calls);
  if (objection !== undefined) {
    turnAway(passage, held, body, objection);
    return;
  }
  const mayList = req.method === 'GET' || body.calls.some(({ method }) => LIST_METHODS.has(method));
  if (held.hide && mayList) hideFrom(req, res, { ruling, logger: held.logger, body });
  next();
}

/** The JSON of a body that nobody had read: left in `req.body`, and in the request too. */
function takeBody(req: MessageRequest, bytes: Buffer): unknown {
  const parsed = parseReceivedBody(bytes);
  req.body = parsed;
  return parsed;
}

/** The JSON that a body parser before us left in `req.body`. */
function parsedBody({ body }: MessageRequest): unknown {
  if (body === undefined) throw alreadyRead();
  return typeof body === 'string' || Buffer.isBuffer(body) ? parseReceivedBody(Buffer.from(body)) : body;
}

function turnAway(
  { req, res, refuse }: Passage,
  { onInsufficientScope, logger }: ResolvedScopes,
  body: ReceivedBody,
  objection: Objection,
): void {
  const { code, scopes } = objection;
  const description = describeObjection(objection);
  logger.debug(`mcpScopes(): ${code}: ${description}`);
  if (code === 'missing_token') {
    refuse(req, res, code, { scopes });
    return;
  }
  const toolError = onInsufficientScope === 'toolError' ? toolErrorFor(body, objection, description) : undefined;
  if (toolError !== undefined) replyJson(res, 200, toolError, { 'cache-control': 'no-store' });
  else refuse(req, res, code, { scopes, description });
}
