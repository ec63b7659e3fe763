import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Advice, adviceFor } from '../core/advice.js';
import { getAuth } from '../core/auth-info.js';
import { asError, type Middleware } from '../http/middleware.js';
import { Bridge, type BridgeStats } from './bridge.js';
import { everyOriginWarning } from './every-origin.js';
import { createStatsChannel } from './stats-channel.js';
import { type McpStdioBackendOptions, type ResolvedStdio, resolveStdioOptions } from './stdio-options.js';
import { createStdioSource } from './stdio-source.js';

export type { McpStdioBackendOptions } from './stdio-options.js';

/** The current numbers of a backend, as `stats()` returns them. */
export interface McpStdioBackendStats {
  /** Open sessions. Requests without a session are not among them. */
  readonly sessions: number;
  /** Running child processes, including those started ahead. */
  readonly children: number;
  /** Requests that no child has answered yet. */
  readonly pending: number;
  /** Restarts of children that serve requests without a session, after they exited by themselves. */
  readonly restarts: number;
}

/** A middleware that runs child processes: call `close()` before the application exits. */
export interface McpStdioBackend extends Middleware {
  /** Answers the requests in flight and ends every stream, session and child process; resolves when none is left. */
  close(): Promise<void>;
  /** Returns the current numbers of sessions, children and requests. */
  stats(): McpStdioBackendStats;
}

/**
 * Serves a stdio MCP server over HTTP (Streamable HTTP). Mount it behind `mcpAuth()` on one path of an Express or Connect app.
 * Each session has its own child process and belongs to the user whose token opened it. Requests of revision 2026-07-28, which has
 * no sessions, share one child for each user and client; by default each request of an anonymous caller has its own child.
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
 * @throws {ConfigError} If an option cannot be used.
 */
export function mcpStdioBackend(options: Readonly<McpStdioBackendOptions>): McpStdioBackend {
  const resolved = resolveStdioOptions(options);
  const advice = adviceFor(options, 'mcpStdioBackend()');
  for (const line of weaknesses(resolved, advice)) resolved.logger.warn(`mcpStdioBackend(): ${line}`);
  const publish = createStatsChannel('express-mcp-auth:stdio');
  const bridge = new Bridge({
    who: 'mcpStdioBackend()',
    source: createStdioSource(resolved),
    options: resolved,
    advice,
    onStats: (stats) => publish(publicStats(stats)),
  });

  // An exception of getAuth() becomes a rejection: on bare node:http, no caller would catch the exception.
  const handle = async (req: IncomingMessage, res: ServerResponse) => bridge.handle(req, res, getAuth(req));

  const mcpStdioBackendMiddleware: Middleware = (req, res, next) => {
    handle(req, res).catch((thrown: unknown) => {
      const error = asError(thrown, 'mcpStdioBackend()');
      resolved.logger.error(`mcpStdioBackend(): a request failed: ${error.name}`);
      next(error);
    });
  };
  return Object.assign(mcpStdioBackendMiddleware, {
    close: () => bridge.close(),
    stats: () => publicStats(bridge.stats()),
  });
}

// The backend's users know connections as children.
function publicStats({ sessions, connections, pending, restarts }: BridgeStats): McpStdioBackendStats {
  return { sessions, children: connections, pending, restarts };
}

function weaknesses(resolved: ResolvedStdio, advice: Advice): string[] {
  return [
    ...(resolved.inheritEnv === true
      ? [
          'inheritEnv is true, so the child sees every variable of this process, secrets included: list the variables that it needs',
        ]
      : []),
    ...everyOriginWarning(resolved, advice),
  ];
}
