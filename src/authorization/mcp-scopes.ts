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
import { type Refuser, refuserOf } from '../oauth/refusal.js';
import { type CallAuthorizer, createCallAuthorizer, type Denial, describeDenial } from './call-authorizer.js';
import { parseReceivedBody, type ReceivedBody, readCalls, requireMatchingHeaders } from './calls-in-body.js';
import { createGrantedScopes } from './granted-scopes.js';
import { hideFrom } from './hidden-answer.js';
import { jsonRpcRefusalFor } from './json-rpc-refusal.js';
import { LIST_METHODS } from './list-filter.js';
import { MessageError, reject } from './message-error.js';
import { createRuleBook } from './rule-book.js';
import { type McpScopesOptions, type ResolvedScopes, resolveScopesOptions, type ScopeRules } from './scopes-options.js';

/** Methods that need no message: with a body they are decided on like any other, since a server may not look at the method. */
const WITHOUT_MESSAGE = ['GET', 'HEAD', 'DELETE', 'OPTIONS'];

/**
 * Decides by scopes who may call which tool, read which resource and get which prompt, before the MCP server runs. Mount
 * it on the server's path, after `mcpAuth()`: what it decided on is what the server gets, as `req.body` and as the
 * unread request. A message that two readers could take for two different ones is answered 400.
 *
 * It decides on calls, not on what a tool does with its arguments; a function as a rule can look at those.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { mcpAuth, mcpScopes } from 'express-mcp-auth';
 *
 * const app = express();
 * app.use(mcpAuth({ issuer: 'https://auth.example.com', audiences: ['https://mcp.example.com/mcp'] }));
 * app.use('/mcp', mcpScopes({ 'tools/call': { 'delete_*': ['files:write'] } }, { hide: true }));
 * ```
 *
 * @throws {ConfigError}
 */
export function mcpScopes(rules: ScopeRules, options: Readonly<McpScopesOptions> = {}): Middleware {
  const resolved = resolveScopesOptions(rules, options);
  const report = createBodyReport('mcpScopes()', resolved.logger);
  const authorize = createCallAuthorizer(
    createRuleBook(resolved.rules, resolved.logger),
    createGrantedScopes(resolved.implies),
  );

  return function mcpScopesMiddleware(req, res, next) {
    let refuse: Refuser;
    try {
      refuse = requireRefuser(req);
    } catch (error) {
      // Not thrown: on bare node:http nobody would catch it.
      next(error);
      return;
    }
    if (WITHOUT_MESSAGE.includes(req.method ?? '') && !carriesBody(req)) {
      // A stream that is resumed may repeat the answer to a list request.
      if (resolved.hide && req.method === 'GET') hideFrom(req, res, { authorize, logger: resolved.logger });
      next();
    } else {
      decide({ req, res, next, refuse, report }, resolved, authorize).catch((error: unknown) =>
        next(asError(error, 'mcpScopes()')),
      );
    }
  };
}

function requireRefuser(req: IncomingMessage): Refuser {
  const refuse = refuserOf(req);
  if (refuse !== undefined) return refuse;
  throw new Error(
    'mcpScopes(): no mcpAuth() answers for this request; mount it before, and after whatever replaces requests',
  );
}

type MessageRequest = IncomingMessage & { body?: unknown };

interface CallContext {
  readonly req: MessageRequest;
  readonly res: ServerResponse;
  readonly next: (error?: unknown) => void;
  readonly refuse: Refuser;
  readonly report: (error: unknown) => void;
}

async function decide(context: CallContext, resolved: ResolvedScopes, authorize: CallAuthorizer): Promise<void> {
  const { req, res, next, refuse, report } = context;
  let body: ReceivedBody;
  try {
    // A parser that ran before has the last word: what it left is what the server gets.
    body = readCalls(
      isBodyParsed(req)
        ? parsedBody(req)
        : takeBody(req, await peekBody(req, resolved.maxBodyBytes, userOf(getAuth(req)))),
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
  const denial = authorize(auth, body.calls);
  if (denial !== undefined) {
    refuseCalls(context, resolved, body, denial);
    return;
  }
  const mayList = req.method === 'GET' || body.calls.some(({ method }) => LIST_METHODS.has(method));
  if (resolved.hide && mayList) hideFrom(req, res, { authorize, logger: resolved.logger, body });
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

function refuseCalls(
  { req, res, refuse }: CallContext,
  { onInsufficientScope, logger }: ResolvedScopes,
  body: ReceivedBody,
  denial: Denial,
): void {
  const { code, scopes } = denial;
  const description = describeDenial(denial);
  logger.debug(`mcpScopes(): ${code}: ${description}`);
  if (code === 'missing_token') {
    refuse(req, res, code, { scopes });
    return;
  }
  const jsonRpcError =
    onInsufficientScope === 'jsonRpcError' ? jsonRpcRefusalFor(body, denial, description) : undefined;
  if (jsonRpcError !== undefined) replyJson(res, 200, jsonRpcError, { 'cache-control': 'no-store' });
  else refuse(req, res, code, { scopes, description });
}
