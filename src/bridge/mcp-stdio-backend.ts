import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Advice, adviceFor } from '../core/advice.js';
import { getAuth } from '../core/auth-info.js';
import { asError, type Middleware } from '../http/middleware.js';
import { Bridge } from './bridge.js';
import { type McpStdioBackendOptions, type ResolvedStdio, resolveStdioOptions } from './stdio-options.js';

export type { McpStdioBackendOptions } from './stdio-options.js';

/** How many there are at the moment. */
export interface McpStdioBackendStats {
  /** Open sessions. */
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
  /** Counts sessions, children and requests. */
  stats(): McpStdioBackendStats;
}

/**
 * Puts an MCP server that speaks on its standard input and output on the web, as Streamable HTTP. Mount it behind `mcpAuth()` on
 * one path of an Express or Connect app. Each session has a child process of its own and belongs to the user whose token
 * opened it; requests of 2026-07-28, which has no sessions, share one child for each user and client, and each request of an
 * anonymous caller has its own.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { mcpAuth, mcpStdioBackend } from 'express-mcp-auth';
 *
 * const backend = mcpStdioBackend({ command: 'node', args: ['server.js'] });
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
 * @throws {ConfigError}
 */
export function mcpStdioBackend(options: Readonly<McpStdioBackendOptions>): McpStdioBackend {
  const resolved = resolveStdioOptions(options);
  const advice = adviceFor(options);
  for (const line of weaknesses(resolved, advice)) resolved.logger.warn(`mcpStdioBackend(): ${line}`);
  const bridge = new Bridge(resolved, advice);

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

function weaknesses({ inheritEnv, allowedOrigins }: ResolvedStdio, { everyOrigin }: Advice): string[] {
  return [
    ...(inheritEnv === true
      ? [
          'inheritEnv is true, so the child sees every variable of our environment, secrets included: list the variables that it needs',
        ]
      : []),
    ...(allowedOrigins?.includes('*') && everyOrigin !== undefined
      ? [`allowedOrigins has "*", so web pages of every origin may send requests: ${everyOrigin}`]
      : []),
  ];
}
