import { type Advice, noteAdvice } from '../core/advice.js';
import {
  type Logger,
  type McpBackend,
  type McpBackendOptions,
  type McpHttpBackend,
  type McpHttpBackendOptions,
  type McpStdioBackend,
  mcpBackend,
  mcpHttpBackend,
  mcpStdioBackend,
  type RetryOptions,
} from '../index.js';
import type { McpBackendConfig, TargetConfig } from './config/backend-config.js';
import type { StdioTarget } from './config/stdio-target.js';
import type { InputFiles } from './input-files.js';
import { namesInFile, remoteOptions } from './remote-options.js';
import { atPlace } from './startup-error.js';

/** The MCP servers of a route, ready to take requests. */
export type RouteBackend = McpStdioBackend | McpHttpBackend | McpBackend;

interface BackendSurroundings {
  readonly logger: Logger;
  readonly files: InputFiles;
  readonly advice: Advice;
  /** True if the route lets anonymous callers in. */
  readonly isOpen: boolean;
  /** From the route's CORS policy. */
  readonly allowedOrigins: readonly string[] | undefined;
  /** The time in which a target must answer, if the route limits it. */
  readonly backendSeconds: number | undefined;
  /** The rules for sending requests to remote targets again. */
  readonly retry: RetryOptions | undefined;
  /** The name of this process among its replicas. */
  readonly replica: string | undefined;
}

/** Creates the backend of a route. */
export function createBackend(config: McpBackendConfig, surroundings: BackendSurroundings): RouteBackend {
  const { logger, advice, allowedOrigins, backendSeconds, replica } = surroundings;
  const [{ server }] = config.targets as readonly [TargetConfig];
  // The command itself warns about open routes before it listens.
  const shared = { ...(allowedOrigins && { allowedOrigins }), ...config.options, warnWhenOpen: false, logger };
  const timeout = backendSeconds === undefined ? {} : { requestTimeoutSeconds: backendSeconds };
  const names = namesOfTimes(config, backendSeconds);
  const note = <T extends object>(options: T): T => {
    noteAdvice(options, {
      ...advice,
      names: new Map([...namesInFile('url' in server ? server : undefined), ...names]),
    });
    return options;
  };
  if (config.isJoined) {
    const targets = createTargets(config, surroundings);
    const options = note({ ...timeout, ...shared, replica, targets } as McpBackendOptions);
    return atPlace(config.at, () => mcpBackend(options));
  }
  if ('url' in server) {
    const limit = backendSeconds === undefined ? {} : { responseTimeoutSeconds: backendSeconds };
    const options = note({ ...limit, ...shared, ...remoteOptions(server, surroundings) } as McpHttpBackendOptions);
    return atPlace(server.at, () => mcpHttpBackend(options));
  }
  const options = note({ ...timeout, ...shared, replica, ...childOptions(server) });
  return atPlace(server.at, () => mcpStdioBackend(options));
}

/** True for a backend that counts a request as soon as it gets it, so that a drain waits for it. Others first read what it asks for. */
export function countsAtOnce({ isJoined, targets }: McpBackendConfig): boolean {
  return !isJoined && targets.every(({ server }) => 'url' in server);
}

/** The names of options whose values come from other keys of the file. */
function namesOfTimes(config: McpBackendConfig, backendSeconds: number | undefined): ReadonlyMap<string, string> {
  const answering = countsAtOnce(config) ? 'responseTimeoutSeconds' : 'requestTimeoutSeconds';
  return new Map([
    ...(backendSeconds === undefined ? [] : [[answering, 'timeout.backendRequestTimeout'] as const]),
    ...(config.hasSessionTtl ? [['idleTimeoutSeconds', 'config.mcp.sessionTtl'] as const] : []),
  ]);
}

/** The name of an only target that has none. */
export const ONLY = 'default';

function createTargets({ targets }: McpBackendConfig, surroundings: BackendSurroundings): McpBackendOptions['targets'] {
  const entries = targets.map(({ name, server }) => [
    name ?? ONLY,
    'url' in server ? remoteOptions(server, surroundings) : childOptions(server),
  ]);
  return Object.fromEntries(entries);
}

function childOptions({ command, args, env, options }: StdioTarget) {
  return { command, args, env, ...options };
}
