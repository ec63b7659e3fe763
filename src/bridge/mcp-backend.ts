import { type Advice, adviceFor } from '../core/advice.js';
import type { Middleware } from '../http/middleware.js';
import type { NameKind, TargetedName } from '../targets/several/qualified.js';
import { factsOfProgram, factsOfServer, rememberFacts, type TargetFacts } from './backend-facts.js';
import { type BackendFault, CLOSING, NO_PROGRAM, rememberFaults } from './backend-faults.js';
import { Bridge } from './bridge.js';
import { createBridgeMiddleware } from './bridge-middleware.js';
import { everyOriginWarning } from './every-origin.js';
import { hasProgram } from './has-program.js';
import { createCallerKeys } from './http/caller-token.js';
import { credentialOptions } from './http/sent-credentials.js';
import { inheritWarning } from './inherit-warning.js';
import { type McpBackendOptions, type ResolvedBackend, resolveBackendOptions } from './mcp-backend-options.js';
import { replicaWarning } from './replica.js';
import { refuseRulesWithoutTargets } from './rules-guard.js';
import { createStatsChannel } from './stats-channel.js';
import { createTargets } from './targets.js';

export type { NameKind, TargetedName } from '../targets/several/qualified.js';
export type { ServerInfo } from './joined-options.js';
export type { McpBackendOptions } from './mcp-backend-options.js';
export type { ChildTarget, McpTarget, RemoteTarget } from './target-options.js';

const WHO = 'mcpBackend()';

/** The current numbers of a backend, as `stats()` returns them. */
export interface McpBackendStats {
  /** Open sessions of clients. Requests without a session are not among them. */
  readonly sessions: number;
  /** Open connections to targets: running child processes, including those started ahead, and conversations with remote servers. */
  readonly connections: number;
  /** Requests that no target has answered yet. */
  readonly pending: number;
  /** Connections for requests without a session that were opened again, after they broke. */
  readonly restarts: number;
}

/** A middleware that keeps connections to MCP servers: call `close()` before the application exits. */
export interface McpBackend extends Middleware {
  /** Answers the requests in flight and ends every stream, session, child process and session at a remote server; resolves when none is left. */
  close(): Promise<void>;
  /**
   * Call it before `close()`, so that clients get their answers. From then on it refuses new sessions (503) and ends streams on which
   * a client only listens. Resolves when no request is in flight, after `seconds` at the latest. `ready()` resolves to false meanwhile.
   */
  drain(seconds: number): Promise<void>;
  /** Returns the current numbers of sessions, connections and requests. */
  stats(): McpBackendStats;
  /**
   * Sends each remote target an `OPTIONS` request that carries none of the configured headers. Resolves to false if one of them does not
   * answer within `connectTimeoutSeconds`, or answers with a status of 500 or more; or if a program is not there. Programs are not started
   * for it.
   */
  ready(): Promise<boolean>;
  /**
   * Finds the target of a name that clients use, and the target's own name for the same thing, for the rules of an application. Undefined
   * if the name belongs to no target or is hidden. Of a name with a prefix, only the prefix counts: the target need not have such a tool.
   */
  resolve(kind: NameKind, name: string): TargetedName | undefined;
  /** The names of the targets. */
  readonly targets: readonly string[];
  /** Serves the public keys of each `callerToken` as a key set (RFC 7517). Mount it before `mcpAuth()`. */
  readonly callerKeys: Middleware;
}

/**
 * Serves MCP servers over HTTP (Streamable HTTP): programs that speak stdio, and remote servers. Mount it behind `mcpAuth()` on one path
 * of an Express or Connect app. Each session of a client has its own connection to the MCP server and belongs to the user whose token
 * opened it. Requests of revision 2026-07-28, which has no sessions, share one connection for each user and client; by default each
 * request of an anonymous caller has its own.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { mcpAuth, mcpBackend } from 'express-mcp-auth';
 *
 * const backend = mcpBackend({ targets: { notes: { command: 'node', args: ['server.js'] } } });
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
export function mcpBackend(options: Readonly<McpBackendOptions>): McpBackend {
  const resolved = resolveBackendOptions(options);
  const { logger } = resolved;
  const advice = adviceFor(options, WHO);
  const warnings = [
    ...childWarnings(resolved),
    ...everyOriginWarning(resolved, advice),
    ...replicaWarning(resolved, advice),
  ];
  for (const line of warnings) logger.warn(`${WHO}: ${line}`);
  const { source, keys, remoteFaults, resolve } = createTargets(WHO, resolved);
  const onStats = createStatsChannel('express-mcp-auth:backend');
  const credentials = credentialsOf(resolved, advice);
  const bridge = new Bridge({ who: WHO, source, options: resolved, advice, credentials, onStats });
  const middleware = createBridgeMiddleware(WHO, bridge, logger);
  const hasOwnNames = resolved.targets.size > 1 || resolved.prefixMode === 'always';
  const handle = hasOwnNames ? refuseRulesWithoutTargets(WHO, middleware, logger) : middleware;
  const faults = async () =>
    bridge.isEnding ? [CLOSING] : [...missingPrograms(resolved, options), ...(await remoteFaults())];
  const backend = Object.assign(handle, {
    close: () => bridge.close(),
    drain: (seconds: number) => bridge.drain(seconds),
    stats: () => bridge.stats(),
    ready: async () => (await faults()).length === 0,
    resolve,
    targets: Object.freeze([...resolved.targets.keys()]),
    callerKeys: createCallerKeys(keys),
  });
  rememberFaults(backend, faults);
  rememberFacts(backend, { targets: factsOfTargets(resolved), sessions: bridge.sessions });
  return backend;
}

function factsOfTargets({ targets }: ResolvedBackend): readonly TargetFacts[] {
  return [...targets].map(([name, target]) =>
    target.kind === 'child' ? factsOfProgram(target.child, name) : factsOfServer(target.server.url, name),
  );
}

function credentialsOf({ targets }: ResolvedBackend, advice: Advice): string[] {
  return [...targets].flatMap(([name, target]) =>
    target.kind === 'child'
      ? []
      : credentialOptions(target.server, advice).map((option) => `targets.${name}.${option}`),
  );
}

/** One fault for each program that is not there. */
function missingPrograms({ targets }: ResolvedBackend, options: Readonly<McpBackendOptions>): readonly BackendFault[] {
  return [...targets].flatMap(([name, target]) => {
    const given = options.targets[name] as { readonly env?: unknown };
    return target.kind !== 'child' || hasProgram(target.child, given.env) ? [] : [{ target: name, reason: NO_PROGRAM }];
  });
}

function childWarnings({ targets }: ResolvedBackend): string[] {
  return [...targets].flatMap(([name, target]) =>
    target.kind === 'child' ? inheritWarning(target.child, `targets.${name}.`) : [],
  );
}
