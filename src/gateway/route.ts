import { type Advice, noteAdvice } from '../core/advice.js';
import { CORS_NAMES_IN_FILE } from '../cors/cors-options.js';
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
import { leaveRoot } from '../metadata/root-documents.js';
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
  /** Its place in the file. */
  readonly at: string;
  /** Ends the sessions of the backend, with their children. */
  close(): Promise<void>;
}

export function createRoute(route: RouteConfig, logger: Logger): GatewayRoute {
  const advice = adviceOf(route);
  const authentication = route.mcpAuthentication && createAuthentication(route.mcpAuthentication, logger, advice);
  const policy = authentication?.policy;
  const scopes = route.mcpScopes;
  const stdio = { ...backendOptions(route, policy), logger };
  noteAdvice(stdio, advice);
  const backend = atPlace(route.target.at, () => mcpStdioBackend(stdio));
  const handle = chain([
    ...(route.cors ? [createCors(route.cors, logger, advice)] : []),
    ...(authentication ? [authentication.auth] : []),
    ...(scopes ? [atPlace(scopes.at, () => mcpScopes(scopes.rules, { ...scopes.options, logger }))] : []),
    backend,
  ]);
  const close = async () => {
    if (policy !== undefined) leaveRoot(policy);
    await backend.close();
  };
  return { handle, metadata: authentication?.metadata, policy, at: route.at, close };
}

/** The backend guards against DNS rebinding; what the file says of origins must not be foreign to it. */
function backendOptions({ target, cors }: RouteConfig, policy: ResolvedAuth | undefined) {
  const { at: _place, ...program } = target;
  const allowedOrigins = cors && originsForBackend(cors.options.allowedOrigins, policy);
  // The command itself warns of open routes, before it listens.
  return { ...program, warnWhenOpen: false, ...(allowedOrigins && { allowedOrigins }) };
}

/** The guard knows no patterns. Where every request needs a token it may let every origin through; strangers it keeps away. */
function originsForBackend(origins: readonly string[], policy: ResolvedAuth | undefined) {
  if (origins.length === 0) return undefined;
  if (!origins.some((origin) => origin.includes('*'))) return origins;
  return policy !== undefined && requiresToken(policy.modeName) ? ['*'] : undefined;
}

const CORS_EVERY_ORIGIN = 'list the origins of your pages in allowOrigins';

function createCors({ options, at: place }: CorsConfig, logger: Logger, advice: Advice): Middleware {
  const warn = (line: string) => logger.warn(`${place}: ${line}`);
  const cors = { ...options, logger: { ...logger, warn } };
  noteAdvice(cors, { ...advice, everyOrigin: CORS_EVERY_ORIGIN, names: CORS_NAMES_IN_FILE });
  return atPlace(place, () => mcpCors(cors));
}

/** The settings of the file to change if the route refuses a request for want of one, or is less safe than it could be. */
function adviceOf({ at, mcpAuthentication }: RouteConfig): Advice {
  const place = mcpAuthentication?.at ?? `${at}.policies.mcpAuthentication`;
  return {
    preflight: `give ${at} policies.cors`,
    foreignHost: `name the address that clients use in ${place}.resourceMetadata.resource, or have the proxy send "Host: localhost"`,
    foreignOrigin: `list it in ${at}.policies.cors.allowOrigins, without a star`,
    permissive: `set ${place}.mode to "strict"`,
    // The file names origins in policies.cors alone, and the backend lets every origin through only where a token is required.
    everyOrigin: undefined,
    names: new Map(),
  };
}

function createAuthentication({ policy, at: place }: McpAuthenticationConfig, logger: Logger, advice: Advice) {
  // The block is the policy, member for member; mcpAuth() refuses whatever it would not honour.
  const options = { ...policy, logger } as unknown as McpAuthOptions;
  noteAdvice(options, advice);
  return atPlace(place, () => {
    const auth = mcpAuth(options);
    return { auth, metadata: protectedResourceMetadata(auth), policy: policyOf('mcpAuth()', auth) };
  });
}

/** One warning for each route through which anonymous callers on other machines would reach a backend. */
export function warningsOfOpenRoutes(routes: readonly GatewayRoute[], host: string): readonly string[] {
  if (isLoopbackHost(host) || isLoopbackAddress(host)) return [];
  return routes.flatMap((route) => {
    const why = whyOpen(route);
    return why === undefined
      ? []
      : [`${route.at} lets anonymous callers in: ${why}, and ${host} can be reached from other machines. ${ADVICE}`];
  });
}

const ADVICE = 'Require a token (mode: strict), or listen on this machine only (--host 127.0.0.1).';

function whyOpen({ policy }: GatewayRoute): string | undefined {
  if (policy === undefined) return 'policies.mcpAuthentication is missing';
  return requiresToken(policy.modeName) ? undefined : `policies.mcpAuthentication.mode is ${policy.modeName}`;
}
