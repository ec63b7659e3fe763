import { noteAdvice } from '../core/advice.js';
import { type McpHttpBackend, type McpStdioBackend, mcpStdioBackend } from '../index.js';
import type { McpBackendConfig } from './config/backend-config.js';
import type { StdioTarget } from './config/stdio-target.js';
import { createRemoteBackend } from './remote-backend.js';
import { atPlace } from './startup-error.js';

type Surroundings = Parameters<typeof createRemoteBackend>[1];

interface BackendSurroundings extends Surroundings {
  /** The time in which a target must answer, if the route limits it. */
  readonly backendSeconds?: number | undefined;
}

/** Creates the backend of a route. */
export function createBackend(
  { targets, isForLocalPages, sessionSeconds }: McpBackendConfig,
  { backendSeconds, ...surroundings }: BackendSurroundings,
): McpStdioBackend | McpHttpBackend {
  const [{ server }] = targets as readonly [McpBackendConfig['targets'][number]];
  const shared = {
    ...(isForLocalPages && LOCAL_PAGES),
    ...(sessionSeconds !== undefined && { idleTimeoutSeconds: sessionSeconds }),
  };
  if ('url' in server) {
    const ofRoute = { ...shared, ...(backendSeconds && { responseTimeoutSeconds: backendSeconds }) };
    return createRemoteBackend({ ...server, options: { ...ofRoute, ...server.options } }, surroundings);
  }
  const ofRoute = { ...shared, ...(backendSeconds && { requestTimeoutSeconds: backendSeconds }) };
  return createStdioBackend({ ...server, options: { ...ofRoute, ...server.options } }, surroundings);
}

/** Options that let only pages of this machine call a backend, on every address. */
const LOCAL_PAGES = { allowedHosts: ['localhost', '127.0.0.1', '[::1]'] };

function createStdioBackend(
  { command, args, env, options: own, at: place }: StdioTarget,
  { logger, advice, allowedOrigins }: Surroundings,
): McpStdioBackend {
  // The command itself warns about open routes before it listens.
  const options = {
    command,
    args,
    env,
    ...own,
    warnWhenOpen: false,
    ...(allowedOrigins && { allowedOrigins }),
    logger,
  };
  noteAdvice(options, advice);
  return atPlace(place, () => mcpStdioBackend(options));
}
