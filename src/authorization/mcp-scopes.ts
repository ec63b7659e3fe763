import { withFields } from '../core/logger.js';
import { createCountedLines } from '../core/rare-line.js';
import type { Middleware } from '../http/middleware.js';
import { replyJson } from '../http/reply.js';
import { type AuthorizationPolicy, createAuthorizationMiddleware } from './authorization-middleware.js';
import { createCallAuthorizer, type Denial, describeDenial } from './call-authorizer.js';
import { createGrantedScopes } from './granted-scopes.js';
import { jsonRpcRefusalFor } from './json-rpc-refusal.js';
import { createScopeRuleTable } from './scope-rule-table.js';
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
  const scopeRules = createScopeRuleTable(resolved.rules, resolved.logger);
  const authorize = createCallAuthorizer(scopeRules, createGrantedScopes(resolved.implies));
  const { hide, maxBodyBytes, logger, onCall, recordContent } = resolved;
  return createAuthorizationMiddleware({
    who: 'mcpScopes()',
    hide,
    maxBodyBytes,
    logger,
    calls: { onCall, recordContent },
    authorizerFor: (_req, auth) => ({
      authorize: (calls) => authorize(auth, calls),
      shows: (call) => authorize(auth, [call]) === undefined,
      restricts: scopeRules.dependsOnCaller,
    }),
    answerDenial: createAnswer(resolved),
  });
}

function createAnswer({ onInsufficientScope, logger }: ResolvedScopes): AuthorizationPolicy['answerDenial'] {
  const count = createCountedLines<Denial['code']>();
  return ({ req, res, refuse }, body, denial) => {
    const { code, scopes } = denial;
    const description = describeDenial(denial);
    logger.debug(`mcpScopes(): ${code}: ${description}`);
    if (code === 'missing_token') {
      refuse(req, res, code, { scopes });
      return;
    }
    // Without the names in the call: only the operator who asks for details gets those.
    count(code, (more) =>
      withFields(logger, { code }).info(`mcpScopes(): denied a call (${code}): ${fixFor(denial)}${more}`),
    );
    const jsonRpcError =
      onInsufficientScope === 'jsonRpcError' ? jsonRpcRefusalFor(body, denial, description) : undefined;
    if (jsonRpcError !== undefined) replyJson(res, 200, jsonRpcError, { 'cache-control': 'no-store' });
    else refuse(req, res, code, { scopes, bodyDescription: description });
  };
}

function fixFor({ code, scopes }: Denial): string {
  return code === 'insufficient_scope'
    ? `it needs ${scopes.join(' ')}. Clients ask for more scopes; if they get none, grant them at the authorization server. ${AT_DEBUG}`
    : `a rule denies it. ${AT_DEBUG}`;
}

const AT_DEBUG = 'Each call is logged at the level debug';
