import { KnownRevocations } from '../../auth/token/known-revocations.js';
import type { Logger } from '../../index.js';
import type { Store } from '../../store/store.js';
import type { BindConfig, GatewayConfig, ListenerConfig, RouteConfig } from '../config/gateway-config.js';
import { resolveSessionKey } from '../config/session-key.js';
import type { InputFiles } from '../input-files.js';
import { createRoute, type GatewayRoute } from '../route.js';
import { hostnamesOf, type ServedListener } from '../routing.js';
import { keysOfRoute, routeScope } from '../shared-store.js';
import { StartupError } from '../startup-error.js';
import { createLimits, type KeptLimit } from './kept-limits.js';
import { portIdOf, routeKeyOf } from './route-key.js';
import { StatefulParts } from './stateful-parts.js';

/** A port of the file, with its routes. */
export interface VersionPort {
  /** Equal for the same port in two versions of the file. */
  readonly id: string;
  readonly bind: BindConfig;
  readonly listeners: readonly ServedListener[];
  readonly routes: readonly GatewayRoute[];
}

/** One version of the configuration file, with its routes. */
export interface ConfigVersion {
  readonly config: GatewayConfig;
  readonly ports: readonly VersionPort[];
  /** By key: see `routeKeyOf()`. */
  readonly routes: ReadonlyMap<string, GatewayRoute>;
  readonly parts: StatefulParts;
  readonly limits: readonly KeptLimit[];
  /** Those of the version before, for logins that are changed, renamed or added. */
  readonly revocations: KnownRevocations;
  /** The routes that the version before does not have. */
  readonly started: readonly GatewayRoute[];
  /** Ends what only this version has. It is not used. */
  discard(): void;
}

interface VersionInputs {
  readonly logger: Logger;
  readonly files: InputFiles;
  readonly store?: Store | undefined;
  /** The version before, whose routes stay where they are the same. */
  readonly previous: ConfigVersion | undefined;
}

/** A route of the file, with its keys. */
interface KeyedRoute {
  readonly route: RouteConfig;
  readonly place: string;
  readonly key: string;
  /** Its name in the store. */
  readonly scope: string;
}

/**
 * Creates the routes of a configuration, except those of the version before that are the same.
 *
 * @throws {StartupError} If a policy or a target of the file is not valid. Then nothing is left of what was created.
 */
export function createConfigVersion(config: GatewayConfig, inputs: VersionInputs): ConfigVersion {
  const { logger, files, store, previous } = inputs;
  const secret = config.sessionKey && resolveSessionKey(config.sessionKey, files);
  const keyed = keyedRoutesOf(config, { files, secret });
  const all = [...keyed.values()];
  const revocations = previous?.revocations ?? new KnownRevocations();
  const limits = createLimits(all, { logger, store, earlier: previous?.limits ?? [] });
  const counts = new Map(limits.map((limit) => [limit.at, limit.count]));
  const parts = new StatefulParts(previous?.parts, new Set(all.map(({ place }) => place)));
  const routes = new Map<string, GatewayRoute>();
  const started: GatewayRoute[] = [];
  const discard = createDiscard(started, parts);
  const isKept = ({ key }: KeyedRoute) => previous?.routes.has(key) === true;
  // A new route must not take the parts of one that stays.
  for (const each of all.filter(isKept)) parts.keep(each.key);
  const routeFor = (each: KeyedRoute): GatewayRoute => {
    const kept = previous?.routes.get(each.key);
    const { name, label, at, hostnames, matches, localRateLimit } = each.route;
    const limit = localRateLimit && counts.get(localRateLimit.at);
    if (kept !== undefined) return { ...kept, name, label, at, hostnames, matches, limit };
    const { replica } = config.process;
    const keys = secret && keysOfRoute(secret, each.scope);
    const reuseOrCreate = parts.reuserFor(each.place, each.key);
    const created = createRoute(each.route, {
      logger,
      files,
      reuseOrCreate,
      replica,
      secret: keys,
      store,
      revocations,
      limit,
    });
    started.push(created);
    return created;
  };
  try {
    for (const each of all) routes.set(each.key, routeFor(each));
    const ports = config.binds.map((bind) => createPort(bind, (route) => routes.get(keyed.get(route)?.key ?? '')));
    return { config, ports, routes, parts, limits, revocations, started, discard };
  } catch (error) {
    discard();
    throw error;
  }
}

/** Outside of `createConfigVersion()`, whose variables would keep every earlier version in memory. */
function createDiscard(started: readonly GatewayRoute[], parts: StatefulParts): () => void {
  return () => {
    for (const route of started) void route.close();
    parts.endCreated();
  };
}

function keyedRoutesOf(
  { binds }: GatewayConfig,
  inputs: Omit<Parameters<typeof routeKeyOf>[3], 'scope'>,
): ReadonlyMap<RouteConfig, KeyedRoute> {
  const keysIn = (bind: BindConfig, listener: ListenerConfig) =>
    listener.routes.map((route) => {
      const scope = routeScope(listener, route);
      return [route, { route, ...routeKeyOf(bind, listener, route, { ...inputs, scope }), scope }] as const;
    });
  return new Map(binds.flatMap((bind) => bind.listeners.flatMap((listener) => keysIn(bind, listener))));
}

function createPort(bind: BindConfig, routeOf: (config: RouteConfig) => GatewayRoute | undefined): VersionPort {
  const listeners = bind.listeners.map((listener) => ({
    config: listener,
    routes: listener.routes.flatMap((route) => routeOf(route) ?? []),
  }));
  refuseSameLegacyEndpoints(bind, listeners);
  const routes = listeners.flatMap((listener) => listener.routes);
  return { id: portIdOf(bind), bind, listeners, routes };
}

/** Legacy endpoints are at the root of a host, so the first route would get the clients of all routes that have them there. */
function refuseSameLegacyEndpoints({ at }: BindConfig, listeners: readonly ServedListener[]): void {
  const taken = new Map<string, GatewayRoute>();
  const all = listeners.flatMap(({ config, routes }) => routes.map((route) => [config.hostname, route] as const));
  for (const [hostname, route] of all.filter(([, { policy }]) => policy?.oauthProxy?.legacyEndpoints === true)) {
    for (const root of rootsOf(hostname, route)) {
      const other = taken.get(root);
      taken.set(root, route);
      // A route that is attached to several listeners serves the same clients in each of them.
      if (other === undefined || other.at === route.at) continue;
      const where = `in ${other.at} and in ${route.at}`;
      throw new StartupError(
        `${at} has legacyEndpoints twice, ${where}: a host has only one /authorize, so keep it in one of them`,
      );
    }
  }
}

/** The roots where a route has them: of the hosts that it serves, and of the origin that clients are given. */
function rootsOf(hostname: string, route: GatewayRoute): readonly string[] {
  const hosts = hostnamesOf(route).map((host) => JSON.stringify([hostname, host]));
  return [...hosts, ...(route.policy?.resource ? [route.policy.resource.origin] : [])];
}
