import { isLoopbackAddress, isLoopbackHost } from '../http/loopback.js';
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
import { requiresToken } from '../policy/modes.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { policyOf } from '../policy/resolved-policy.js';
import { chain } from './chain.js';
import type { McpAuthenticationConfig, RouteConfig } from './config/config-file.js';
import type { CorsConfig } from './config/cors-policy.js';
import { atPlace } from './startup-error.js';

/** A route of the configuration file, ready to take requests. */
export interface GatewayRoute {
  /** CORS, then the token, then its scopes, then the backend. */
  readonly handle: Middleware;
  /** The discovery documents of this route: clients look for them at paths that `matches` need not list. */
  readonly metadata: Middleware | undefined;
  /** Undefined where the route has no `mcpAuthentication`. */
  readonly policy: ResolvedAuth | undefined;
  /** Where it stands in the file. */
  readonly at: string;
  /** Ends the sessions of the backend, with their children. */
  close(): Promise<void>;
}

export function createRoute(route: RouteConfig, logger: Logger): GatewayRoute {
  const authentication = route.mcpAuthentication && createAuthentication(route.mcpAuthentication, logger);
  const policy = authentication?.policy;
  const scopes = route.mcpScopes;
  const backend = atPlace(route.target.at, () => mcpStdioBackend({ ...backendOptions(route, policy), logger }));
  const handle = chain([
    ...(route.cors ? [createCors(route.cors, logger)] : []),
    ...(authentication ? [authentication.auth] : []),
    ...(scopes ? [atPlace(scopes.at, () => mcpScopes(scopes.rules, { ...scopes.options, logger }))] : []),
    backend,
  ]);
  return { handle, metadata: authentication?.metadata, policy, at: route.at, close: () => backend.close() };
}

/** The backend guards against DNS rebinding; what the file says of origins and of our own address must not be foreign to it. */
function backendOptions({ target, cors }: RouteConfig, policy: ResolvedAuth | undefined) {
  const { at: _place, ...program } = target;
  const resource = policy?.resource?.href;
  const allowedOrigins = cors && originsForBackend(cors.options.origins, policy);
  return { ...program, ...(resource !== undefined && { resource }), ...(allowedOrigins && { allowedOrigins }) };
}

/** The guard knows no patterns. Where every request needs a token it may let every origin through; strangers it keeps away. */
function originsForBackend(origins: readonly string[], policy: ResolvedAuth | undefined) {
  if (origins.length === 0) return undefined;
  if (!origins.some((origin) => origin.includes('*'))) return origins;
  return policy !== undefined && requiresToken(policy.modeName) ? ['*'] : undefined;
}

function createCors({ options, at: place }: CorsConfig, logger: Logger): Middleware {
  const warn = (line: string) => logger.warn(`${place}: ${line}`);
  return atPlace(place, () => mcpCors({ ...options, logger: { ...logger, warn } }));
}

function createAuthentication({ policy, at: place }: McpAuthenticationConfig, logger: Logger) {
  // The block is the policy, member for member; mcpAuth() refuses whatever it would not honour.
  const options = { ...policy, logger } as unknown as McpAuthOptions;
  return atPlace(place, () => {
    const auth = mcpAuth(options);
    return { auth, metadata: protectedResourceMetadata(auth), policy: policyOf('mcpAuth()', auth) };
  });
}

/** One warning for each route through which strangers on other machines would reach a backend. */
export function warningsOfOpenRoutes(routes: readonly GatewayRoute[], host: string): readonly string[] {
  if (isLoopbackHost(host) || isLoopbackAddress(host)) return [];
  return routes.flatMap((route) => {
    const why = whyOpen(route);
    return why === undefined
      ? []
      : [`${route.at} lets strangers in: ${why}, and ${host} can be reached from other machines. ${ADVICE}`];
  });
}

const ADVICE = 'Require a token (mode: strict), or listen on this machine only (--host 127.0.0.1).';

function whyOpen({ policy }: GatewayRoute): string | undefined {
  if (policy === undefined) return 'policies.mcpAuthentication is missing';
  return requiresToken(policy.modeName) ? undefined : `policies.mcpAuthentication.mode is ${policy.modeName}`;
}
