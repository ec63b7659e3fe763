import type { IncomingMessage, ServerResponse } from 'node:http';
import { adviceFor } from '../core/advice.js';
import { getAuth } from '../core/auth-info.js';
import { asError, type Middleware } from '../http/middleware.js';
import { Bridge } from './bridge.js';
import { type McpStdioBackendOptions, resolveStdioOptions } from './stdio-options.js';

export type { McpStdioBackendOptions } from './stdio-options.js';

/** How many there are at the moment. */
export interface McpStdioBackendStats {
  readonly sessions: number;
  /** Running child processes, those started ahead included. */
  readonly children: number;
  /** Requests that no child has answered yet. */
  readonly pending: number;
  /** How often a child that serves requests without a session ended by itself and was started again. */
  readonly restarts: number;
}

/** A middleware with a life of its own: it runs processes, so it wants to be closed. */
export interface McpStdioBackend extends Middleware {
  /** Answers what is in flight, ends every stream, session and child process; resolves when none is left. */
  close(): Promise<void>;
  stats(): McpStdioBackendStats;
}

/**
 * Puts an MCP server that speaks on its standard input and output on the web, as Streamable HTTP. Mount it behind `mcpAuth()` on
 * one path of an Express or Connect app. Each session has a child process of its own and belongs to the user whose token
 * opened it; requests of 2026-07-28, which has no sessions, share one child for each user and client, and each request of an
 * anonymous caller has its own.
 *
 * @throws {ConfigError}
 */
export function mcpStdioBackend(options: Readonly<McpStdioBackendOptions>): McpStdioBackend {
  const resolved = resolveStdioOptions(options);
  const bridge = new Bridge(resolved, adviceFor(options, 'mcpStdioBackend()'));

  // What getAuth() throws becomes a rejection: on bare node:http nobody would catch it.
  const handle = async (req: IncomingMessage, res: ServerResponse) => bridge.handle(req, res, getAuth(req));

  const mcpStdioBackendMiddleware: Middleware = (req, res, next) => {
    handle(req, res).catch((thrown: unknown) => {
      const error = asError(thrown, 'mcpStdioBackend()');
      resolved.logger.error(`mcpStdioBackend(): a request failed: ${error.name}`);
      next(error);
    });
  };
  return Object.assign(mcpStdioBackendMiddleware, { close: () => bridge.close(), stats: () => bridge.stats() });
}
