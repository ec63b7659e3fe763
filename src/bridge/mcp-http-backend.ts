import { adviceFor } from '../core/advice.js';
import { getAuth } from '../core/auth-info.js';
import { asError, type Middleware } from '../http/middleware.js';
import { refuserOf } from '../oauth/refusal.js';
import { everyOriginWarning } from './every-origin.js';
import { createCallerKeys, createCallerTokens, publishKey } from './http/caller-token.js';
import { HttpBridge } from './http/http-bridge.js';
import { type McpHttpBackendOptions, resolveHttpOptions } from './http/http-options.js';

export type { CallerTokenOptions } from './http/caller-token-options.js';
export type { CallerHeaders, McpHttpBackendOptions } from './http/http-options.js';

/** How many there are at the moment. */
export interface McpHttpBackendStats {
  /** Sessions at the MCP server that this process knows. */
  readonly sessions: number;
  /** Event streams that are open. */
  readonly streams: number;
  /** Requests that the MCP server has not begun to answer. */
  readonly pending: number;
}

/** A middleware with a life of its own: it keeps connections, so it wants to be closed. */
export interface McpHttpBackend extends Middleware {
  /** Ends every stream and request; ends the sessions at the MCP server, unless signed ids let another process go on with them. */
  close(): Promise<void>;
  stats(): McpHttpBackendStats;
  /** True if the MCP server answers at the moment. It is sent one `OPTIONS` request, without any of the headers that say who is calling. */
  ready(): Promise<boolean>;
  /** Answers with the key set that `callerToken` is verified with (RFC 7517). Mount it before `mcpAuth()`. */
  readonly callerKeys: Middleware;
}

/**
 * Puts a remote MCP server, which speaks Streamable HTTP, behind this one. Mount it behind `mcpAuth()` on one path of an Express or
 * Connect app. Messages, streams, event ids and revisions of the protocol pass as they are, but never the client's token: `headers`,
 * `bearer` or `callerToken` say who is calling. Each session belongs to the user whose token opened it.
 *
 * @throws {ConfigError}
 */
export function mcpHttpBackend(options: Readonly<McpHttpBackendOptions>): McpHttpBackend {
  const resolved = resolveHttpOptions(options);
  const { url, callerToken, logger } = resolved;
  const key = callerToken && publishKey(callerToken.key, logger);
  const tokens = callerToken && key && createCallerTokens(callerToken, url.origin + url.pathname, key);
  const advice = adviceFor(options, 'mcpHttpBackend()');
  for (const line of everyOriginWarning(resolved, advice)) logger.warn(`mcpHttpBackend(): ${line}`);
  const bridge = new HttpBridge(resolved, advice, tokens);

  const mcpHttpBackendMiddleware: Middleware = (req, res, next) => {
    const fail = (thrown: unknown): void => {
      const error = asError(thrown, 'mcpHttpBackend()');
      logger.error(`mcpHttpBackend(): a request failed: ${error.name}`);
      next(error);
    };
    try {
      const auth = getAuth(req);
      const isChecked = auth !== undefined || refuserOf(req) !== undefined;
      void bridge.handle({ req, res, auth, isChecked, next: fail });
    } catch (error) {
      // On bare node:http, no caller would catch it.
      fail(error);
    }
  };
  return Object.assign(mcpHttpBackendMiddleware, {
    close: () => bridge.close(),
    stats: () => bridge.stats(),
    ready: () => bridge.ready(),
    callerKeys: createCallerKeys(key === undefined ? [] : [key]),
  });
}
