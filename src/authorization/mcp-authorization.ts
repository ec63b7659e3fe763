import type { IncomingMessage } from 'node:http';
import { withFields } from '../core/logger.js';
import { createCountedLines } from '../core/rare-line.js';
import { noteRulesWithoutTargets } from '../core/rules-without-targets.js';
import type { Middleware } from '../http/middleware.js';
import { describeCall } from '../messages/mcp-call.js';
import { createAmbiguityCheck } from './ambiguous-arguments.js';
import { createAuthorizationMiddleware } from './authorization-middleware.js';
import {
  type McpAuthorizationOptions,
  type ResolvedAuthorization,
  resolveAuthorizationOptions,
  WHO,
} from './authorization-options.js';
import { createAuthorizationRules } from './authorization-rules.js';
import { type CallDecision, createRuleAuthorizer } from './rule-authorizer.js';
import { answerRuleDenial } from './rule-denial.js';
import { createFailureReport } from './rule-failures.js';
import { describeReason } from './rule-reason.js';

/**
 * Decides by expressions who may call which tool with which arguments, read which resource and get which prompt, before the MCP server
 * runs. Mount it on the server's path, after `mcpAuth()`. The rules have agentgateway's form and meaning, and can also read the arguments
 * of a call: `mcp.tool.arguments`. The server receives the body that was checked.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { mcpAuth, mcpAuthorization } from 'express-mcp-auth';
 *
 * const app = express();
 * app.use(mcpAuth({ issuer: 'https://auth.example.com', audiences: ['https://mcp.example.com/mcp'] }));
 * const rules = ['mcp.tool.name == "echo"', 'mcp.tool.name == "pay" && mcp.tool.arguments.amount < 100'];
 * app.use('/mcp', mcpAuthorization({ rules }));
 * ```
 *
 * @throws {ConfigError} Also for an expression that does not parse, or that names a variable or target that does not exist.
 */
export function mcpAuthorization(options: Readonly<McpAuthorizationOptions>): Middleware {
  const resolved = resolveAuthorizationOptions(options);
  const { rules, backend, mode, logger, onCall, recordContent } = resolved;
  const isPermissive = mode === 'permissive';
  const authorizationRules = createAuthorizationRules(rules, createFailureReport(logger, WHO));
  const settings = { authorizationRules, backend, isAmbiguous: createAmbiguityCheck(rules) };
  const log = createDenialLog(resolved);
  return createAuthorizationMiddleware({
    who: WHO,
    hide: resolved.hide && !isPermissive,
    maxBodyBytes: resolved.maxBodyBytes,
    logger,
    calls: { onCall, recordContent },
    authorizerFor(req: IncomingMessage, auth) {
      if (backend === undefined) noteRulesWithoutTargets(req);
      const authorizer = createRuleAuthorizer(settings, req, auth, log);
      if (!isPermissive) return authorizer;
      return { ...authorizer, authorize: (calls) => void authorizer.authorize(calls), restricts: () => false };
    },
    answerDenial: answerRuleDenial(resolved.onDenied),
  });
}

const AT_DEBUG = 'Each call is logged at the level debug; "express-mcp-auth rules test" says which rule decides on one';

function createDenialLog({ mode, logger }: ResolvedAuthorization): (decision: CallDecision) => void {
  const isPermissive = mode === 'permissive';
  const count = createCountedLines<string | undefined>();
  return ({ call, decision }) => {
    const line = `${WHO}: ${isPermissive ? 'would deny' : 'denied'} ${describeCall(call)}: ${describeReason(decision)}`;
    if (isPermissive) {
      logger.info(line);
      return;
    }
    logger.debug(line);
    const reason = describeReason(decision);
    count(decision?.rule?.at, (more) => {
      withFields(logger, { code: 'call_denied' }).info(
        `${WHO}: denied a call (call_denied): ${reason}. ${AT_DEBUG}${more}`,
      );
    });
  };
}
