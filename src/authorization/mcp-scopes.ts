import type { IncomingMessage, ServerResponse } from 'node:http';
import { getAuth } from '../core/auth-info.js';
import { withdrawalOf } from '../core/authority.js';
import { createBodyReport } from '../core/body-report.js';
import { BodyError } from '../http/body.js';
import { asError, type Middleware } from '../http/middleware.js';
import { replyJson } from '../http/reply.js';
import type { ReceivedBody } from '../messages/calls-in-body.js';
import { MessageError, reject } from '../messages/message-refusal.js';
import { lacksMessage, readMessage } from '../messages/received-message.js';
import { type Refuser, refuserOf } from '../oauth/refusal.js';
import { type CallAuthorizer, createCallAuthorizer, type Denial, describeDenial } from './call-authorizer.js';
import { createGrantedScopes } from './granted-scopes.js';
import { hideFrom } from './hidden-answer.js';
import { jsonRpcRefusalFor } from './json-rpc-refusal.js';
import { LIST_METHODS } from './list-filter.js';
import { createRuleBook } from './rule-book.js';
import { type McpScopesOptions, type ResolvedScopes, resolveScopesOptions, type ScopeRules } from './scopes-options.js';

/**
 * Decides by scopes who may call which tool, read which resource and get which prompt, before the MCP server runs. Mount
 * it on the server's path, after `mcpAuth()`. The server receives the body that was checked, in `req.body` and in the unread
 * request stream. A message that two parsers could read differently is answered 400.
 *
 * It checks which tool, prompt or resource is called, not the arguments; only a rule that is a function can look at those.
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
      // Passed to `next` and not thrown: bare node:http catches nothing, so the process would end.
      next(error);
      return;
    }
    if (lacksMessage(req)) {
      // A resumed event stream may repeat the answer to a list request.
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
    'mcpScopes(): no mcpAuth() has handled this request; mount mcpAuth() before mcpScopes(), and after any middleware that replaces the request object',
  );
}

interface CallContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly next: (error?: unknown) => void;
  readonly refuse: Refuser;
  readonly report: (error: unknown) => void;
}

async function decide(context: CallContext, resolved: ResolvedScopes, authorize: CallAuthorizer): Promise<void> {
  const { req, res, next, refuse, report } = context;
  let body: ReceivedBody;
  try {
    body = await readMessage(req, resolved.maxBodyBytes);
  } catch (error) {
    report(error);
    if (error instanceof MessageError || error instanceof BodyError) reject(res, error);
    else next(asError(error, 'mcpScopes()'));
    return;
  }
  const auth = getAuth(req);
  // mcpAuth() checked the token before the body arrived. It may have been revoked in the meantime.
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
