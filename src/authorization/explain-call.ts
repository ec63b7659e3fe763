import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { AuthInfo } from '../core/auth-info.js';
import { readCalls } from '../messages/calls-in-body.js';
import { createAmbiguityCheck } from './ambiguous-arguments.js';
import { type McpAuthorizationOptions, resolveAuthorizationOptions } from './authorization-options.js';
import { createAuthorizationRules } from './authorization-rules.js';
import { sharedVariablesOf } from './request-variables.js';
import { type CallDecision, decisionsOn } from './rule-authorizer.js';

/** The decisions on one message, with their reasons. */
export interface Explanation {
  /** One for each tool, prompt, resource and task that the message names. */
  readonly decisions: readonly CallDecision[];
  /** The codes of the rules that failed, by the places of the rules. */
  readonly failures: ReadonlyMap<string, string>;
}

/**
 * Decides on a message as `mcpAuthorization()` does, with a made-up request: a POST to `http://localhost/` without other headers.
 *
 * @throws {ConfigError} If the options are wrong.
 * @throws {MessageError} If the message is not a JSON-RPC message.
 */
export function explainCall(
  options: McpAuthorizationOptions,
  message: unknown,
  auth: AuthInfo | undefined,
): Explanation {
  const { rules, backend } = resolveAuthorizationOptions(options);
  const failures = new Map<string, string>();
  const authorizationRules = createAuthorizationRules(rules, ({ at }, code) => failures.set(at, code));
  const headers = { host: 'localhost' };
  const request = Object.assign(new IncomingMessage(new Socket()), { method: 'POST', url: '/', headers });
  const decisions = decisionsOn(
    readCalls(message).calls,
    { authorizationRules, backend, isAmbiguous: createAmbiguityCheck(rules) },
    { shared: sharedVariablesOf(request, auth), scopes: new Set(auth?.scopes) },
    false,
  );
  return { decisions, failures };
}
