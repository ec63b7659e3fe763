import type { RouteRevocation } from '../admin/admin-source.js';
import { checkBackend, type ReadyCheck } from '../admin/readiness.js';
import type { KeySetAge } from '../auth/keys/key-set-ages.js';
import { callerKeysOf } from '../bridge/http/caller-token.js';
import type { Advice } from '../core/advice.js';
import { withFields } from '../core/logger.js';
import { type Logger, type McpHttpBackendOptions, type Middleware, mcpScopes } from '../index.js';
import { requiresToken } from '../policy/modes.js';
import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { ArrivingRequests } from './arriving-requests.js';
import { countsAtOnce, createBackend, ONLY, type RouteBackend } from './backend.js';
import { chain } from './chain.js';
import type { McpBackendConfig } from './config/backend-config.js';
import type { CredentialConfig, RouteConfig } from './config/gateway-config.js';
import type { InputFiles } from './input-files.js';
import { countRequests, passMessageBy } from './policies/count-requests.js';
import { respond } from './policies/fixed-response.js';
import { changeRequestHeaders, changeResponseHeaders } from './policies/header-changes.js';
import { authorizeRequests } from './policies/http-authorization.js';
import { limitTime } from './policies/request-timeout.js';
import { requireUpstreamTokens } from './policies/upstream-token-headers.js';
import { redirect, rewrite } from './policies/url-changes.js';
import type { ReuseOrCreate } from './reload/stateful-parts.js';
import { adviceOf } from './route-advice.js';
import { createRouteLogin } from './route-authentication.js';
import { createAuthorization } from './route-authorization.js';
import { createCors, originsForBackend } from './route-cors.js';
import { findServerFaults } from './server-faults.js';
import type { RouteShare } from './shared-store.js';
import { atPlace, StartupError } from './startup-error.js';

/** A route of the configuration file, ready to take requests. */
export interface GatewayRoute extends Pick<RouteConfig, 'name' | 'label' | 'hostnames' | 'matches' | 'at'> {
  /** The label of its calls. A route that stays has one object in all versions of the file, with the label of the version in use. */
  readonly recordedAs: { label: string };
  /** Counts its requests by the policy `localRateLimit`. Undefined without one. */
  readonly limit: Middleware | undefined;
  /** A route that stays has one object in all versions of the file, with the limit of the version in use. */
  readonly countedBy: { limit: Middleware } | undefined;
  /** Answers CORS, checks the token, then its scopes, then calls the backend. */
  readonly handle: Middleware;
  /** Serves the discovery documents of this route, at paths that `matches` need not list. */
  readonly metadata: Middleware | undefined;
  /** The policy of the file that says who may call. Undefined if the route has none. */
  readonly login: 'mcpAuthentication' | CredentialConfig['kind'] | undefined;
  /** Undefined if the route has no such policy. */
  readonly policy: ResolvedAuth | undefined;
  /** False if the route answers every request itself. */
  readonly hasBackend: boolean;
  /** Undefined if the route answers every request itself. */
  readonly backend: RouteBackend | undefined;
  /** Revokes tokens of its login. Undefined without one. */
  readonly revocation: RouteRevocation | undefined;
  /** The names of its MCP servers. */
  readonly targets: readonly string[];
  /** Returns the ages of the key sets that its login has fetched. */
  keySetAges(): readonly KeySetAge[];
  /** The keys that verify the tokens of `callerToken`; empty without it. */
  readonly callerKeys: ReturnType<typeof callerKeysOf>;
  /** Asks the other servers that the route needs. Resolves to one sentence for each that cannot be used. */
  findFaults(): Promise<readonly string[]>;
  /** The parts of the route that can be ready or not. */
  readonly checks: readonly ReadyCheck[];
  /** Resolves when the requests that are checked have reached the backend or have an answer, after `ms` at the latest. */
  settle(ms: number): Promise<void>;
  /** Opens no more sessions; resolves when no request of the route is in flight, after `seconds` at the latest. `close()` comes after it. */
  drain(seconds: number): Promise<void>;
  /** Ends the sessions of the backend, with their children. */
  close(): Promise<void>;
}

/** The parts from which a route is created. */
export interface RouteParts extends RouteShare {
  readonly logger: Logger;
  readonly files: InputFiles;
  readonly reuseOrCreate: ReuseOrCreate;
  /** Counts its requests, and perhaps those of other routes, by the policy `localRateLimit`. */
  readonly limit?: Middleware | undefined;
}

/** @throws {StartupError} If a policy or a target of the route is not valid. */
export function createRoute(route: RouteConfig, given: RouteParts): GatewayRoute {
  const parts = { ...given, logger: withFields(given.logger, { route: route.at }) };
  const { files, replica, logger } = parts;
  const advice = adviceOf(route);
  const authentication = createRouteLogin(route, { ...parts, advice });
  const policy = authentication?.policy;
  refuseIssuerOfProxy(route, policy);
  requireUpstreamTokens(route, policy);
  const backend = route.backend && createRouteBackend(route, route.backend, { logger, files, advice, policy, replica });
  try {
    return assembleRoute(route, parts, { authentication, backend, advice });
  } catch (error) {
    // It has a timer, which would run on.
    void backend?.close();
    throw error;
  }
}

interface CreatedParts {
  readonly authentication: ReturnType<typeof createRouteLogin>;
  readonly backend: RouteBackend | undefined;
  readonly advice: ReturnType<typeof adviceOf>;
}

function assembleRoute(
  route: RouteConfig,
  parts: RouteParts,
  { authentication, backend, advice }: CreatedParts,
): GatewayRoute {
  const { logger, limit } = parts;
  const countedBy = limit && { limit };
  const { policy } = authentication ?? {};
  const { name, label, hostnames, matches, at, timeout, responseHeaderModifiers, cors } = route;
  const login = route.mcpAuthentication ? 'mcpAuthentication' : route.credentials?.kind;
  const arriving = new ArrivingRequests();
  const handle = chain([
    arriving.enter,
    ...(timeout?.requestMs === undefined ? [] : [limitTime(timeout.requestMs)]),
    ...(responseHeaderModifiers.length > 0 ? [changeResponseHeaders(responseHeaderModifiers)] : []),
    ...(cors ? [createCors(cors, logger, advice)] : []),
    ...(authentication?.steps ?? []),
    ...authorizeRequests(route.gatewayAuthorization ?? [], logger),
    ...authorizeRequests(route.authorization ?? [], logger),
    ...createSteps(route, backend, { logger, countedBy }),
    ...(backend ? [leaveFor(route, arriving), backend] : []),
  ]);
  const settle = (ms: number) => arriving.settle(ms);
  const drain = (seconds: number) => drainRoute(seconds, arriving, backend);
  const close = async () => backend?.close();
  const callerKeys = backend && 'callerKeys' in backend ? callerKeysOf(backend.callerKeys) : [];
  const { metadata } = authentication ?? {};
  const checks = [...(authentication ? [authentication.check] : []), ...(backend ? [checkBackend(at, backend)] : [])];
  const findFaults = () => findServerFaults(route, authentication);
  const targets = route.backend?.targets.map(({ name }) => name ?? ONLY) ?? [];
  const keySetAges = () => authentication?.keySetAges() ?? [];
  const described = { name, label, hostnames, matches, at, policy, hasBackend: backend !== undefined, callerKeys };
  const { revocation } = authentication ?? {};
  return {
    ...described,
    recordedAs: { label },
    limit,
    countedBy,
    backend,
    targets,
    keySetAges,
    login,
    handle,
    metadata,
    revocation,
    findFaults,
    checks,
    settle,
    drain,
    close,
  };
}

function leaveFor({ backend }: RouteConfig, arriving: ArrivingRequests): Middleware {
  return backend !== undefined && countsAtOnce(backend) ? arriving.leaveAtOnce : arriving.leave;
}

/** Waits for requests whose token is checked too, although the backend does not know them yet. */
async function drainRoute(
  seconds: number,
  arriving: ArrivingRequests,
  backend: RouteBackend | undefined,
): Promise<void> {
  const until = performance.now() + seconds * 1_000;
  const leftMs = () => Math.max(0, until - performance.now());
  await backend?.drain(seconds);
  while (!arriving.isEmpty && leftMs() > 0) {
    await arriving.settle(leftMs());
    await backend?.drain(leftMs() / 1_000);
  }
}

/** The steps from an accepted caller to the backend, in agentgateway's order. */
function createSteps(
  route: RouteConfig,
  backend: RouteBackend | undefined,
  { logger, countedBy }: Pick<GatewayRoute, 'countedBy'> & Pick<RouteParts, 'logger'>,
): Middleware[] {
  const { matches, requestHeaderModifiers, urlRewrite, requestRedirect, directResponse, mcpScopes: scopes } = route;
  const limit = countedBy ? [countRequests(countedBy)] : [];
  const answer = [
    ...(requestRedirect ? [redirect(requestRedirect, matches)] : []),
    ...(directResponse ? [respond(directResponse)] : []),
  ];
  return [
    ...requestHeaderModifiers.map(changeRequestHeaders),
    ...(urlRewrite ? [rewrite(urlRewrite, matches)] : []),
    ...(answer.length > 0 ? [passMessageBy, ...limit, ...answer] : []),
    ...(scopes ? [atPlace(scopes.at, () => mcpScopes(scopes.rules, { ...scopes.options, logger }))] : []),
    ...createAuthorization(route, backend, logger),
    ...limit,
  ];
}

interface BackendInputs {
  readonly logger: Logger;
  readonly files: InputFiles;
  readonly advice: Advice;
  readonly policy: ResolvedAuth | undefined;
  readonly replica: string | undefined;
}

function createRouteBackend(route: RouteConfig, config: McpBackendConfig, { policy, ...others }: BackendInputs) {
  const allowedOrigins = originsForBackend(route, policy);
  const isOpen = policy === undefined || !requiresToken(policy.modeName);
  const { timeout, retry } = route;
  return createBackend(config, {
    ...others,
    isOpen,
    allowedOrigins,
    backendSeconds: timeout?.backendSeconds,
    retry: retry?.options,
  });
}

/** Refuses a `callerToken.issuer` that is the OAuth proxy's: a server that trusts the proxy must not accept caller tokens as users' tokens. */
function refuseIssuerOfProxy({ backend }: RouteConfig, policy: ResolvedAuth | undefined): void {
  const proxy = policy?.oauthProxy?.resource.href;
  if (proxy === undefined) return;
  for (const { server } of backend?.targets ?? []) {
    const { callerToken } = server.options as Pick<McpHttpBackendOptions, 'callerToken'>;
    if (callerToken?.issuer !== proxy) continue;
    throw new StartupError(`${server.at}.callerToken.issuer is the issuer of the OAuth proxy: choose another URL`);
  }
}
