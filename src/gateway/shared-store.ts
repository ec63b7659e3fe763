import { createHash, createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { KnownRevocations } from '../auth/token/known-revocations.js';
import type { Logger } from '../core/logger.js';
import { createRareLine } from '../core/rare-line.js';
import { createRedisStore, type Store } from '../store/redis.js';
import type { ListenerConfig, RouteConfig } from './config/gateway-config.js';
import { resolveRedisUrl, type StoreConfig } from './config/store-config.js';
import type { InputFiles } from './input-files.js';
import { createRedisClient, type RedisClient, type RedisEvents } from './redis-client.js';
import { atPlace } from './startup-error.js';

/** The state that the replicas of the gateway share. */
export interface SharedStore {
  readonly store: Store;
  /** Connects to the server. A server that cannot be reached is not a failure: the gateway goes on without it, and tries again. */
  open(): Promise<void>;
  /** Resolves to one sentence if the server cannot be used from here, otherwise to none. */
  findFaults(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** The parts that a route shares with the other routes of its process, and with its replicas. */
export interface RouteShare {
  /** The name of this process among its replicas. */
  readonly replica?: string | undefined;
  /** The keys that sign session ids, if the login has none of its own. */
  readonly secret?: readonly string[] | undefined;
  readonly store?: Store | undefined;
  /** The revocations that this process knows, with a store or without. They stay the same in all versions of the file. */
  readonly revocations: KnownRevocations;
}

/** @throws {StartupError} If the settings cannot be used, or the package that they need is not installed. */
export function createSharedStore(config: StoreConfig, files: InputFiles, logger: Logger): SharedStore {
  const { at: place, prefix } = config;
  const url = resolveRedisUrl(config, files);
  const events = createConnectionLog(place, url, logger);
  return atPlace(place, () => {
    const client = createRedisClient(url, events);
    const findFaults = () => faultsOf(client, place);
    return { store: createRedisStore(client, { prefix }), open: client.open, findFaults, close: client.close };
  });
}

function createConnectionLog(place: string, url: string, logger: Logger): RedisEvents {
  const warn = createRareLine((line) => logger.warn(line));
  const tell = createRareLine((line) => logger.info(line));
  // Without the user and the password.
  const { host } = new URL(url);
  let hasFailed = false;
  return {
    onFailure(reason) {
      hasFailed = true;
      warn(`${place}: no connection to Redis (${reason}) at ${host}. Connecting again until there is one`);
    },
    onReady() {
      if (hasFailed) tell(`${place}: there is a connection to Redis at ${host} now`);
      hasFailed = false;
    },
  };
}

/** The time in which the server must answer a check. */
const MAX_CHECK_MS = 5_000;

async function faultsOf(client: RedisClient, place: string): Promise<readonly string[]> {
  try {
    const late = delay(MAX_CHECK_MS, undefined, { ref: false }).then(() => {
      throw new Error(`no answer of Redis within ${MAX_CHECK_MS / 1_000} seconds`);
    });
    await Promise.race([client.eval('return 1', { keys: [], arguments: [] }), late]);
    return [];
  } catch (error) {
    return [`${place}: the store cannot be used: ${(error as Error).message}`];
  }
}

/** Names a route in the store: alike in every replica with the same file, whatever the ports and the order of routes. */
export function routeScope(listener: Pick<ListenerConfig, 'at'>, { hostnames, matches }: RouteConfig): string {
  const conditions = JSON.stringify(matches, (name, value: unknown) => (name === 'at' ? undefined : value));
  const text = JSON.stringify([listener.at, hostnames, conditions]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

/**
 * Returns the keys that sign the session ids of one route. If all routes had the same keys, the server of one route could choose ids that are
 * valid at the server of another route.
 */
export function keysOfRoute(keys: readonly string[], scope: string): readonly string[] {
  return keys.map((key) => createHmac('sha256', key).update(`sessions of ${scope}`).digest('base64url'));
}

/** Returns the store in which only one limit of the file counts: otherwise, several that are alike would share their buckets. */
export function storeOfLimit(store: Store, scope: string): Store {
  return {
    ...store,
    take: (buckets) => store.take(buckets.map((bucket) => ({ ...bucket, key: `${scope}:${bucket.key}` }))),
  };
}
