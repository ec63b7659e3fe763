import { createHash, createHmac } from 'node:crypto';
import type { Logger } from '../core/logger.js';
import { createRareLine } from '../core/rare-line.js';
import { createRedisStore, type Store } from '../store/redis.js';
import type { ListenerConfig, RouteConfig } from './config/gateway-config.js';
import { resolveRedisUrl, type StoreConfig } from './config/store-config.js';
import type { InputFiles } from './input-files.js';
import { createRedisClient } from './redis-client.js';
import { atPlace } from './startup-error.js';

/** What the replicas of the gateway know together. */
export interface SharedStore {
  readonly store: Store;
  /** Connects to the server. It is no failure that it cannot be reached: the gateway goes on without it, and tries again. */
  open(): Promise<void>;
  close(): Promise<void>;
}

/** What a route shares with the others of its process, and with its replicas. */
export interface RouteShare {
  /** The name of this process among its replicas. */
  readonly replica?: string | undefined;
  /** The keys that sign session ids, if the login has none of its own. */
  readonly secret?: readonly string[] | undefined;
  readonly store?: Store | undefined;
  /** The part of the store in which only this route counts. */
  readonly limits?: Store | undefined;
}

/** @throws {StartupError} If the settings cannot be used, or the package that they need is not installed. */
export function createSharedStore(config: StoreConfig, files: InputFiles, logger: Logger): SharedStore {
  const { at: place, prefix } = config;
  const url = resolveRedisUrl(config, files);
  const warn = createRareLine((line) => logger.warn(line));
  const onFailure = (reason: string) =>
    warn(`${place}: no connection to Redis (${reason}). Connecting again until there is one`);
  return atPlace(place, () => {
    const client = createRedisClient(url, onFailure);
    return { store: createRedisStore(client, { prefix }), open: client.open, close: client.close };
  });
}

/** Names a route in the store: alike in every replica with the same file, whatever the ports and the order of routes. */
export function routeScope(listener: Pick<ListenerConfig, 'at'>, { hostnames, matches }: RouteConfig): string {
  const conditions = JSON.stringify(matches, (name, value: unknown) => (name === 'at' ? undefined : value));
  const text = JSON.stringify([listener.at, hostnames, conditions]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

/**
 * Returns the keys that sign the session ids of one route. With the same keys for all, a server could choose the ids with which its clients go
 * to the server of another route.
 */
export function keysOfRoute(keys: readonly string[], scope: string): readonly string[] {
  return keys.map((key) => createHmac('sha256', key).update(`sessions of ${scope}`).digest('base64url'));
}

/** Returns the store in which only this route counts: otherwise, limits of several routes that are alike would share their buckets. */
export function storeOfRoute(store: Store, scope: string): Store {
  return {
    ...store,
    take: (buckets) => store.take(buckets.map((bucket) => ({ ...bucket, key: `${scope}:${bucket.key}` }))),
  };
}
