import { adviceFor } from '../core/advice.js';
import { getAuth } from '../core/auth-info.js';
import { failRequest } from '../http/fail-request.js';
import { asError, type Middleware } from '../http/middleware.js';
import { refuserOf } from '../oauth/refusal.js';
import { createBreakOff } from './answers/break-off.js';
import { factsOfServer, rememberFacts } from './backend-facts.js';
import { rememberFaults } from './backend-faults.js';
import { everyOriginWarning } from './every-origin.js';
import { createCallerKeys, createCallerTokens, publishKey } from './http/caller-token.js';
import { HttpBridge } from './http/http-bridge.js';
import { type McpHttpBackendOptions, resolveHttpOptions } from './http/http-options.js';
import { audienceOf } from './http/sent-credentials.js';

export type { CallerTokenOptions } from './http/caller-token-options.js';
export type { McpHttpBackendOptions } from './http/http-options.js';
export type { CallerHeaders } from './http/remote-server-options.js';
export type { RetryOptions } from './http/retry-options.js';

/** The current numbers of a backend, as `stats()` returns them. */
export interface McpHttpBackendStats {
  /** Open sessions that this process knows. */
  readonly sessions: number;
  /** Open event streams. */
  readonly streams: number;
  /** Requests that the MCP server has not begun to answer. */
  readonly pending: number;
}

/** A middleware that keeps connections: call `close()` before the application exits. */
export interface McpHttpBackend extends Middleware {
  /**
   * Ends every stream, answers the requests in flight with 503, and ends the sessions at the MCP server. Sessions with signed ids go
   * on: another process can serve them.
   */
  close(): Promise<void>;
  /**
   * Call it before `close()`, so that clients get their answers. From then on it refuses new sessions (503) and ends streams on which
   * a client only listens. Resolves when no request is in flight, after `seconds` at the latest. `ready()` resolves to false meanwhile.
   */
  drain(seconds: number): Promise<void>;
  /** Returns the current numbers of sessions, streams and requests. */
  stats(): McpHttpBackendStats;
  /**
   * Asks the MCP server whether it answers, with an `OPTIONS` request that carries none of the configured headers. Resolves to false
   * if there is no answer within `connectTimeoutSeconds`, or one with a status of 500 or more, 300 to 399, 407 or 421; also 401 if
   * calls carry no credentials; and once `drain()` or `close()` was called. It does not show whether the MCP server accepts `bearer`, `headers` or `callerToken`.
   */
  ready(): Promise<boolean>;
  /** Serves the public key of `callerToken` as a key set (RFC 7517). Mount it before `mcpAuth()`. */
  readonly callerKeys: Middleware;
}

/**
 * Forwards requests to a remote MCP server (Streamable HTTP). Mount it behind `mcpAuth()` on one path of an Express or Connect app.
 * Messages, streams, event ids and every revision of the protocol pass unchanged. The client's token is never forwarded: `headers`,
 * `bearer` or `callerToken` tell the MCP server who is calling. Each session belongs to the user whose token opened it.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { mcpAuth, mcpHttpBackend } from 'express-mcp-auth';
 *
 * const backend = mcpHttpBackend({
 *   url: 'http://localhost:8000/mcp',
 *   headers: (auth) => ({ 'x-user': auth?.subject }),
 * });
 * const app = express();
 * app.use(mcpAuth({ issuer: 'https://auth.example.com', audiences: ['https://mcp.example.com/mcp'] }));
 * app.use('/mcp', backend);
 * const listener = app.listen(3000);
 *
 * process.once('SIGTERM', () => {
 *   listener.close();
 *   void backend.close();
 * });
 * ```
 *
 * @throws {ConfigError} If an option cannot be used.
 */
export function mcpHttpBackend(options: Readonly<McpHttpBackendOptions>): McpHttpBackend {
  const resolved = resolveHttpOptions(options);
  const { url, callerToken, logger } = resolved;
  const key = callerToken && publishKey(callerToken.key, logger, 'mcpHttpBackend()');
  const tokens = callerToken && key && createCallerTokens(callerToken, audienceOf(url), key);
  const advice = adviceFor(options, 'mcpHttpBackend()');
  for (const line of everyOriginWarning(resolved, advice)) logger.warn(`mcpHttpBackend(): ${line}`);
  const breakOff = createBreakOff('mcpHttpBackend()', logger);
  const bridge = new HttpBridge(resolved, advice, tokens);

  const mcpHttpBackendMiddleware: Middleware = (req, res, next) => {
    const fail = (thrown: unknown): void => {
      const error = asError(thrown, 'mcpHttpBackend()');
      logger.error(`mcpHttpBackend(): a request failed: ${error.name}`);
      failRequest(res, next, error);
    };
    try {
      const auth = getAuth(req);
      const isChecked = auth !== undefined || refuserOf(req) !== undefined;
      void bridge.handle({ req, res, auth, isChecked, next: fail, breakOff });
    } catch (error) {
      // On bare node:http, no caller would catch it.
      fail(error);
    }
  };
  const backend = Object.assign(mcpHttpBackendMiddleware, {
    close: () => bridge.close(),
    drain: (seconds: number) => bridge.drain(seconds),
    stats: () => bridge.stats(),
    ready: async () => (await bridge.fault()) === undefined,
    callerKeys: createCallerKeys(key === undefined ? [] : [key]),
  });
  rememberFaults(backend, async () => {
    const reason = await bridge.fault();
    return reason === undefined ? [] : [{ reason }];
  });
  rememberFacts(backend, { targets: [factsOfServer(url)], sessions: bridge.sessions });
  return backend;
}
