import { callerKeysOf } from '../bridge/http/caller-token.js';
import { type Advice, noteAdvice } from '../core/advice.js';
import { isLoopbackAddress, isLoopbackHost } from '../http/loopback.js';
import {
  type Logger,
  type McpAuthOptions,
  type McpHttpBackend,
  type McpHttpBackendOptions,
  type McpStdioBackend,
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
import type { McpAuthenticationConfig, RouteConfig, StdioTarget } from './config/config-file.js';
import type { CorsConfig } from './config/cors-policy.js';
import { createRemoteBackend } from './remote-backend.js';
import { atPlace, StartupError } from './startup-error.js';

/** A route of the configuration file, ready to take requests. */
export interface GatewayRoute {
  /** CORS, then the token, then its scopes, then the backend. */
  readonly handle: Middleware;
  /** The discovery documents of this route: clients look for them at paths that `matches` need not list. */
  readonly metadata: Middleware | undefined;
  /** Undefined where the route has no `mcpAuthentication`. */
  readonly policy: ResolvedAuth | undefined;
  /** The keys of `callerToken`. */
  readonly callerKeys: ReturnType<typeof callerKeysOf>;
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
  refuseIssuerOfProxy(route, policy);
  const backend = createBackend(route, { logger, advice, allowedOrigins: originsForBackend(route, policy) });
  const handle = chain([
    ...(route.cors ? [createCors(route.cors, logger)] : []),
    ...(authentication ? [authentication.auth] : []),
    ...(scopes ? [atPlace(scopes.at, () => mcpScopes(scopes.rules, { ...scopes.options, logger }))] : []),
    backend,
  ]);
  const close = async () => {
    if (policy !== undefined) leaveRoot(policy);
    await backend.close();
  };
  const callerKeys = 'callerKeys' in backend ? callerKeysOf(backend.callerKeys) : [];
  return { handle, metadata: authentication?.metadata, policy, callerKeys, at: route.at, close };
}

type Surroundings = Parameters<typeof createRemoteBackend>[1];

function createBackend({ target }: RouteConfig, surroundings: Surroundings): McpStdioBackend | McpHttpBackend {
  return 'url' in target ? createRemoteBackend(target, surroundings) : createStdioBackend(target, surroundings);
}

function createStdioBackend(
  { at: place, ...program }: StdioTarget,
  { logger, advice, allowedOrigins }: Surroundings,
): McpStdioBackend {
  // The command itself warns of open routes, before it listens.
  const options = { ...program, warnWhenOpen: false, ...(allowedOrigins && { allowedOrigins }), logger };
  noteAdvice(options, advice);
  return atPlace(place, () => mcpStdioBackend(options));
}

/** Servers that look for the keys of the OAuth proxy's tokens by its issuer must not find others, and take one for the other. */
function refuseIssuerOfProxy({ target }: RouteConfig, policy: ResolvedAuth | undefined): void {
  const proxy = policy?.oauthProxy?.resource.href;
  if (proxy === undefined || !('url' in target)) return;
  const { callerToken } = target.options as Pick<McpHttpBackendOptions, 'callerToken'>;
  if (callerToken?.issuer !== proxy) return;
  throw new StartupError(
    `${target.at}.callerToken.issuer is the issuer of the OAuth proxy: choose another URL of yours`,
  );
}

/**
 * The backend guards against DNS rebinding; what the file says of origins must not be foreign to it. The guard knows no patterns.
 * Where every request needs a token it may let every origin through; strangers it keeps away.
 */
function originsForBackend({ cors }: RouteConfig, policy: ResolvedAuth | undefined) {
  const origins = cors?.options.origins ?? [];
  if (origins.length === 0) return undefined;
  if (!origins.some((origin) => origin.includes('*'))) return origins;
  return policy !== undefined && requiresToken(policy.modeName) ? ['*'] : undefined;
}

function createCors({ options, at: place }: CorsConfig, logger: Logger): Middleware {
  const warn = (line: string) => logger.warn(`${place}: ${line}`);
  return atPlace(place, () => mcpCors({ ...options, logger: { ...logger, warn } }));
}

/** The settings of the file to change if the route refuses a request for want of one. */
function adviceOf({ at, mcpAuthentication }: RouteConfig): Advice {
  const place = mcpAuthentication?.at ?? `${at}.policies.mcpAuthentication`;
  return {
    preflight: `give ${at} policies.cors`,
    foreignHost: `name the address that clients use in ${place}.resourceMetadata.resource, or have the proxy send "Host: localhost"`,
    foreignOrigin: `list it in ${at}.policies.cors.allowOrigins, without a star`,
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
