import { callerKeysOf } from '../bridge/http/caller-token.js';
import { type Advice, noteAdvice } from '../core/advice.js';
import { CORS_NAMES_IN_FILE } from '../cors/cors-options.js';
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
  mcpLimits,
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
import type { StdioTarget } from './config/stdio-target.js';
import { createRemoteBackend } from './remote-backend.js';
import { createAuthorization } from './route-authorization.js';
import { atPlace, StartupError } from './startup-error.js';

/** A route of the configuration file, ready to take requests. */
export interface GatewayRoute {
  /** Answers CORS, checks the token, then its scopes, then calls the backend. */
  readonly handle: Middleware;
  /** Serves the discovery documents of this route, at paths that `matches` need not list. */
  readonly metadata: Middleware | undefined;
  /** Undefined if the route has no `mcpAuthentication`. */
  readonly policy: ResolvedAuth | undefined;
  /** The keys that verify the tokens of `callerToken`; empty without it. */
  readonly callerKeys: ReturnType<typeof callerKeysOf>;
  /** Its place in the file, for messages. */
  readonly at: string;
  /** Ends the sessions of the backend, with their children. */
  close(): Promise<void>;
}

/** @throws {StartupError} If a policy or the target of the route is not valid. */
export function createRoute(route: RouteConfig, logger: Logger): GatewayRoute {
  const advice = adviceOf(route);
  const authentication = route.mcpAuthentication && createAuthentication(route.mcpAuthentication, logger, advice);
  const policy = authentication?.policy;
  const { mcpScopes: scopes, localRateLimit: rate } = route;
  refuseIssuerOfProxy(route, policy);
  const allowedOrigins = originsForBackend(route, policy);
  const backend = createBackend(route, { logger, advice, isOpen: policy === undefined, allowedOrigins });
  const handle = chain([
    ...(route.cors ? [createCors(route.cors, logger, advice)] : []),
    ...(authentication ? [authentication.auth] : []),
    ...(scopes ? [atPlace(scopes.at, () => mcpScopes(scopes.rules, { ...scopes.options, logger }))] : []),
    ...createAuthorization(route, logger),
    ...(rate ? [atPlace(rate.at, () => mcpLimits(rate.limits, { logger }))] : []),
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
  // The command itself warns about open routes before it listens.
  const options = { ...program, warnWhenOpen: false, ...(allowedOrigins && { allowedOrigins }), logger };
  noteAdvice(options, advice);
  return atPlace(place, () => mcpStdioBackend(options));
}

/** Refuses a `callerToken.issuer` that is the OAuth proxy's: a server that trusts the proxy must not accept caller tokens as users' tokens. */
function refuseIssuerOfProxy({ target }: RouteConfig, policy: ResolvedAuth | undefined): void {
  const proxy = policy?.oauthProxy?.resource.href;
  if (proxy === undefined || !('url' in target)) return;
  const { callerToken } = target.options as Pick<McpHttpBackendOptions, 'callerToken'>;
  if (callerToken?.issuer !== proxy) return;
  throw new StartupError(`${target.at}.callerToken.issuer is the issuer of the OAuth proxy: choose another URL`);
}

/**
 * Passes the file's origins to the backend, which would otherwise refuse them as DNS rebinding. Its origin check knows no patterns.
 * If every request needs a token, a pattern lets every origin pass that check. Otherwise patterns do not reach it, so that foreign
 * pages cannot call the backend without a token.
 */
function originsForBackend({ cors }: RouteConfig, policy: ResolvedAuth | undefined) {
  const origins = cors?.options.allowedOrigins ?? [];
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

/** The advice for requests that the route refuses and for weak settings, in the names of the file. */
function adviceOf({ at, mcpAuthentication }: RouteConfig): Advice {
  const place = mcpAuthentication?.at ?? `${at}.policies.mcpAuthentication`;
  return {
    preflight: `set ${at}.policies.cors`,
    foreignHost: `set ${place}.resourceMetadata.resource to the address that clients use, or make the proxy send "Host: localhost"`,
    foreignOrigin: `add it to ${at}.policies.cors.allowOrigins, without "*"`,
    permissive: `set ${place}.mode to "strict"`,
    // A "*" of the backend comes from originsForBackend() and not from the user, and only if every request needs a token.
    everyOrigin: undefined,
    names: new Map(),
  };
}

function createAuthentication({ policy, at: place }: McpAuthenticationConfig, logger: Logger, advice: Advice) {
  // The block has the members of a policy. mcpAuth() refuses any that it does not support.
  const options = { ...policy, logger } as unknown as McpAuthOptions;
  noteAdvice(options, advice);
  return atPlace(place, () => {
    const auth = mcpAuth(options);
    return { auth, metadata: protectedResourceMetadata(auth), policy: policyOf('mcpAuth()', auth) };
  });
}

/** One warning for each route that lets anonymous callers on other machines reach its backend. */
export function warningsOfOpenRoutes(routes: readonly GatewayRoute[], host: string): readonly string[] {
  if (isLoopbackHost(host) || isLoopbackAddress(host)) return [];
  return routes.flatMap((route) => {
    const why = reasonOpen(route);
    return why === undefined
      ? []
      : [`${route.at} lets anonymous callers in: ${why}, and ${host} can be reached from other machines. ${ADVICE}`];
  });
}

const ADVICE = 'Require a token (mode: strict), or listen on this machine only (--host 127.0.0.1).';

function reasonOpen({ policy }: GatewayRoute): string | undefined {
  if (policy === undefined) return 'policies.mcpAuthentication is missing';
  return requiresToken(policy.modeName) ? undefined : `policies.mcpAuthentication.mode is ${policy.modeName}`;
}
