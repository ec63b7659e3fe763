import { createCallerKeys } from '../bridge/http/caller-token.js';
import { setMcpRoute } from '../core/mcp-route.js';
import { rawPath, requestTarget } from '../http/request-target.js';
import type { Middleware } from '../index.js';
import { chain } from './chain.js';
import type { ListenerConfig } from './config/gateway-config.js';
import { createHostTable } from './config/hostnames.js';
import { createRouteTable } from './config/route-match.js';
import { limitRegistrations, registrationPaths } from './registration-limit.js';
import type { GatewayRoute } from './route.js';
import { hostOf } from './trusted-proxies.js';

/** A listener of the file, with its routes. */
export interface ServedListener {
  readonly config: ListenerConfig;
  readonly routes: readonly GatewayRoute[];
}

/** Creates the middleware that finds the route of a request on one port: by the listener's host, then the route's host, then the best match. */
export function createRouting(listeners: readonly ServedListener[], registrationLimit: Middleware): Middleware {
  const routes = listeners.flatMap((listener) => listener.routes);
  const registrations = routes.flatMap(({ policy }) => (policy ? registrationPaths(policy) : []));
  const listenerFor = createHostTable(
    groupBy(listeners.map((listener) => [listener.config.hostname, listener.routes] as const)).map(
      ([hostname, all]) => [hostname, createListenerRouting(all.flat())] as const,
    ),
  );
  return chain([
    ...limitRegistrations(registrations, registrationLimit),
    serveCallerKeys(routes),
    (req, res, next) => {
      const [listener] = listenerFor(hostOf(req));
      if (listener) listener(req, res, next);
      else next();
    },
  ]);
}

function createListenerRouting(routes: readonly GatewayRoute[]): Middleware {
  const byHost = routes.flatMap((route) => hostnamesOf(route).map((hostname) => [hostname, route] as const));
  const groups = groupBy(byHost).map(([hostname, all]) => [hostname, createHostRouting(all)] as const);
  const [first, ...others] = groups;
  if (first?.[0] === '*' && others.length === 0) return first[1];
  const groupsFor = createHostTable(groups);
  return (req, res, next) => chain(groupsFor(hostOf(req)))(req, res, next);
}

/** The host names of a route within its listener. */
export function hostnamesOf({ hostnames }: Pick<GatewayRoute, 'hostnames'>): readonly string[] {
  return hostnames.length === 0 ? ['*'] : hostnames;
}

function createHostRouting(routes: readonly GatewayRoute[]): Middleware {
  const routeFor = createRouteTable(
    routes.flatMap((route) => route.matches.map((match) => [match, route.name, route] as const)),
  );
  const routing: Middleware = (req, res, next) => {
    const route = routeFor(req);
    if (route === undefined) {
      next();
      return;
    }
    // Records of calls name the route by its label in the file that is in use, and not by the path of the request, which the client chooses.
    setMcpRoute(req, route.recordedAs);
    route.handle(req, res, next);
  };
  return chain([...routes.flatMap(({ metadata }) => metadata ?? []), routing]);
}

function groupBy<T>(
  entries: ReadonlyArray<readonly [key: string, value: T]>,
): ReadonlyArray<readonly [string, readonly T[]]> {
  const groups = new Map<string, T[]>();
  for (const [key, value] of entries) groups.set(key, [...(groups.get(key) ?? []), value]);
  return [...groups];
}

/** The path from which MCP servers fetch the keys of caller tokens. */
const CALLER_KEYS_PATH = '/.well-known/express-mcp-auth/caller-jwks.json';

function serveCallerKeys(routes: readonly GatewayRoute[]): Middleware {
  const keys = createCallerKeys(routes.flatMap(({ callerKeys }) => callerKeys));
  return (req, res, next) => {
    if (rawPath(requestTarget(req)) === CALLER_KEYS_PATH) keys(req, res, next);
    else next();
  };
}
