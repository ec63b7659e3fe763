import {
  type Logger,
  type McpAuthOptions,
  type Middleware,
  mcpAuth,
  mcpCors,
  mcpScopes,
  mcpStdioBackend,
  protectedResourceMetadata,
} from '../index.js';
import { chain } from './chain.js';
import type { McpAuthenticationConfig, RouteConfig } from './config/config-file.js';
import type { CorsConfig } from './config/cors-policy.js';
import type { ScopesConfig } from './config/scopes-policy.js';
import { at } from './input-file.js';

/** A route of the configuration file, ready to take requests. */
export interface GatewayRoute {
  /** CORS, then the token, then its scopes, then the backend. */
  readonly handle: Middleware;
  /** The discovery documents of this route: clients look for them at paths that `matches` need not list. */
  readonly metadata: Middleware | undefined;
  /** Ends the sessions of the backend, with their children. */
  close(): Promise<void>;
}

export function createRoute(route: RouteConfig, logger: Logger): GatewayRoute {
  const policies = route.mcpAuthentication && createPolicies(route.mcpAuthentication, logger);
  const backend = at(route.target.at, () => mcpStdioBackend({ ...backendOptions(route), logger }));
  const handle = chain([
    ...(route.cors ? [createCors(route.cors, logger)] : []),
    ...(policies ? [policies.auth] : []),
    ...(route.mcpScopes ? [createScopes(route.mcpScopes, logger)] : []),
    backend,
  ]);
  return { handle, metadata: policies?.metadata, close: () => backend.close() };
}

/** The backend guards against DNS rebinding; what the file says of origins and of our own address must not be foreign to it. */
function backendOptions({ target, cors, mcpAuthentication }: RouteConfig) {
  const { command, args, env } = target;
  const resource = (mcpAuthentication?.policy.resourceMetadata as { resource?: string } | undefined)?.resource;
  const allowedOrigins = cors && originsForBackend(cors.options.origins, mcpAuthentication);
  return { command, args, env, ...(resource !== undefined && { resource }), ...(allowedOrigins && { allowedOrigins }) };
}

/** The guard knows no patterns. Where every request needs a token it may let every origin through; strangers it keeps away. */
function originsForBackend(origins: readonly string[], auth: McpAuthenticationConfig | undefined) {
  if (origins.length === 0) return undefined;
  if (!origins.some((origin) => origin.includes('*'))) return origins;
  const needsToken = auth !== undefined && (auth.policy.mode ?? 'strict') === 'strict';
  return needsToken ? ['*'] : undefined;
}

function createCors({ options, at: place }: CorsConfig, logger: Logger): Middleware {
  const warn = (line: string) => logger.warn(`${place}: ${line}`);
  return at(place, () => mcpCors({ ...options, logger: { ...logger, warn } }));
}

function createScopes({ rules, options, at: place }: ScopesConfig, logger: Logger): Middleware {
  return at(place, () => mcpScopes(rules, { ...options, logger }));
}

function createPolicies({ policy, at: place }: McpAuthenticationConfig, logger: Logger) {
  // The block is the policy, member for member; mcpAuth() refuses whatever it would not honour.
  const options = { ...policy, logger } as unknown as McpAuthOptions;
  return at(place, () => ({ auth: mcpAuth(options), metadata: protectedResourceMetadata(options) }));
}
