import { adviceFor } from '../core/advice.js';
import type { Middleware } from '../http/middleware.js';
import { factsOfProgram, rememberFacts } from './backend-facts.js';
import { CLOSING, NO_PROGRAM, rememberFaults } from './backend-faults.js';
import { Bridge } from './bridge.js';
import { createBridgeMiddleware } from './bridge-middleware.js';
import type { BridgeStats } from './bridge-setup.js';
import { everyOriginWarning } from './every-origin.js';
import { hasProgram } from './has-program.js';
import { inheritWarning } from './inherit-warning.js';
import { replicaWarning } from './replica.js';
import { createStatsChannel } from './stats-channel.js';
import { type McpStdioBackendOptions, resolveStdioOptions } from './stdio-options.js';
import { createChildSource } from './target-source.js';

export type { McpStdioBackendOptions } from './stdio-options.js';

const WHO = 'mcpStdioBackend()';

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
  /**
   * Call it before `close()`, so that clients get their answers. From then on it refuses new sessions (503) and ends streams on which
   * a client only listens. Resolves when no request is in flight, after `seconds` at the latest. `ready()` resolves to false meanwhile.
   */
  drain(seconds: number): Promise<void>;
  /** Returns the current numbers of sessions, children and requests. */
  stats(): McpStdioBackendStats;
  /**
   * Resolves to false if the program is not there, or once `drain()` or `close()` was called. The program is not started for it, so it does
   * not show whether the program works.
   */
  ready(): Promise<boolean>;
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
  const advice = adviceFor(options, WHO);
  const warnings = [
    ...inheritWarning(resolved),
    ...everyOriginWarning(resolved, advice),
    ...replicaWarning(resolved, advice),
  ];
  for (const line of warnings) resolved.logger.warn(`${WHO}: ${line}`);
  const publish = createStatsChannel('express-mcp-auth:stdio');
  const bridge = new Bridge({
    who: WHO,
    source: createChildSource(resolved, resolved),
    options: resolved,
    advice,
    onStats: (stats) => publish(publicStats(stats)),
  });

  const fault = () =>
    bridge.isEnding ? CLOSING : hasProgram(resolved, options.env) ? undefined : { reason: NO_PROGRAM };
  const backend = Object.assign(createBridgeMiddleware(WHO, bridge, resolved.logger), {
    close: () => bridge.close(),
    drain: (seconds: number) => bridge.drain(seconds),
    stats: () => publicStats(bridge.stats()),
    ready: async () => fault() === undefined,
  });
  rememberFacts(backend, { targets: [factsOfProgram(resolved)], sessions: bridge.sessions });
  rememberFaults(backend, async () => [fault()].filter((one) => one !== undefined));
  return backend;
}

// The backend's users know connections as children.
function publicStats({ sessions, connections, pending, restarts }: BridgeStats): McpStdioBackendStats {
  return { sessions, children: connections, pending, restarts };
}
