import { createHash } from 'node:crypto';
import { createChecks, type OptionChecks } from '../options/checks.js';
import type { OptionTable } from '../options/option-table.js';
import { ADD, APPEND, GET, RAISE, SINCE, TAKE } from './redis-scripts.js';
import type { Store, StoreList } from './store.js';

/** The keys and arguments of a script, for a client of the package `redis`. */
export interface ScriptArguments {
  /** The names of its keys. */
  keys: string[];
  /** Its other arguments. */
  arguments: string[];
}

/** The methods of a client of the package `redis` (node-redis) that the store uses. */
export interface NodeRedisClient {
  /** Runs a script that the server knows. */
  evalSha(sha1: string, options: ScriptArguments): Promise<unknown>;
  /** Runs a script, which the server then knows. */
  eval(script: string, options: ScriptArguments): Promise<unknown>;
}

/** The methods of a client of the package `iovalkey` that the store uses. */
export interface IovalkeyClient {
  /** Runs a script that the server knows. */
  evalsha(sha1: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
  /** Runs a script, which the server then knows. */
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
}

/** The options of `createRedisStore()`. */
export interface RedisStoreOptions {
  /**
   * Begins the name of every key, in braces, so that a cluster keeps them together. Servers that must not know of each other need
   * different prefixes.
   *
   * @default 'express-mcp-auth'
   */
  readonly prefix?: string | undefined;
}

const PREFIX_FIX = 'Leave it out for "express-mcp-auth".';

export const REDIS_STORE_TABLE = {
  prefix: { default: 'express-mcp-auth', read: readPrefix },
} satisfies OptionTable<RedisStoreOptions>;

/** Does not use `readOptions()`: the package would get one more file, which every import would load. */
function resolvePrefix(checks: OptionChecks, options: unknown): string {
  const given = checks.record(options, 'options', PREFIX_FIX);
  checks.knownKeys(given, '', Object.keys(REDIS_STORE_TABLE));
  const { default: fallback, read } = REDIS_STORE_TABLE.prefix;
  return read(checks, given.prefix ?? fallback, 'prefix');
}

function readPrefix(checks: OptionChecks, value: unknown, option: string): string {
  const prefix = checks.string(value, option, PREFIX_FIX);
  return /^[^{}]+$/.test(prefix) ? prefix : checks.refuse(option, 'a name without braces', prefix, PREFIX_FIX);
}

/** Entries of a list in one answer. */
const MAX_ENTRIES = 1_000;

/**
 * Creates a store in Redis (6 or later) or Valkey, over a client that you have connected. The store never connects or disconnects it,
 * and a client that cannot reach its server must go on trying. Keys expire by themselves.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { mcpAuth, mcpLimits } from 'express-mcp-auth';
 * import { createRedisStore } from 'express-mcp-auth/redis';
 * import { createClient } from 'redis';
 *
 * const client = createClient({ url: 'redis://localhost:6379' });
 * client.on('error', console.error); // without a listener, a lost connection would end the process
 * await client.connect();
 * const store = createRedisStore(client);
 *
 * const app = express();
 * app.use(mcpAuth({ issuer: 'https://auth.example.com', audiences: ['https://mcp.example.com/mcp'], store }));
 * app.use('/mcp', mcpLimits([{ per: 'user', tokens: 60, refill: 60, every: '1m' }], { store }));
 * ```
 *
 * @throws {ConfigError}
 */
export function createRedisStore(
  client: NodeRedisClient | IovalkeyClient,
  options: Readonly<RedisStoreOptions> = {},
): Store {
  const checks = createChecks('createRedisStore()');
  const run = createScriptRunner(requireClient(checks, client));
  const prefix = resolvePrefix(checks, options);
  const named = (kind: string, key: string) => `{${prefix}}:${kind}:${key}`;
  const listKeys = (list: string) => ['entries', 'expiries', 'last'].map((kind) => named(kind, list));
  return {
    get: async (key) => ((await run(GET, [named('value', key)])) as string | null) ?? undefined,
    add: async (key, value, ttlMs) => (await run(ADD, [named('value', key)], [value, milliseconds(ttlMs)])) === 1,
    async append(list, entry, ttlMs) {
      await run(APPEND, listKeys(list), [entry, milliseconds(ttlMs)]);
    },
    async since(list, cursor = '0'): Promise<StoreList> {
      const [next, ...entries] = (await run(SINCE, listKeys(list), [cursor, String(MAX_ENTRIES)])) as string[];
      return { entries, cursor: next ?? cursor };
    },
    async take(buckets) {
      const numbers = buckets.flatMap(({ capacity, refill, everyMs, cost }) => [capacity, refill, everyMs, cost]);
      const keys = buckets.map(({ key }) => named('bucket', key));
      return Number(await run(TAKE, keys, numbers.map(String)));
    },
    async raise(key, number, ttlMs) {
      await run(RAISE, [named('value', key)], [String(number), milliseconds(ttlMs)]);
    },
  };
}

function milliseconds(ttlMs: number): string {
  return String(Math.max(1, Math.ceil(ttlMs)));
}

const CLIENT_FIX = 'Give what createClient() of "redis" or new Redis() of "iovalkey" returned.';

function requireClient(checks: OptionChecks, client: unknown): NodeRedisClient | IovalkeyClient {
  const given = (client ?? {}) as Partial<NodeRedisClient & IovalkeyClient>;
  if (typeof given.evalSha === 'function' || typeof given.evalsha === 'function') return client as NodeRedisClient;
  // Not quoted: a URL or the options of a client may contain a password.
  return checks.refuseUnquoted('client', 'a client of the package "redis" or "iovalkey"', CLIENT_FIX);
}

type ScriptRunner = (script: string, keys: string[], values?: string[]) => Promise<unknown>;

/** Sends only the hash of a script, and the script itself if the server does not know it, as after its restart. */
function createScriptRunner(client: NodeRedisClient | IovalkeyClient): ScriptRunner {
  const hashes = new Map([ADD, APPEND, GET, RAISE, SINCE, TAKE].map((script) => [script, hashOf(script)]));
  const [byHash, byText]: ScriptRunner[] =
    'evalSha' in client
      ? [
          (sha1, keys, values = []) => client.evalSha(sha1, { keys, arguments: values }),
          (script, keys, values = []) => client.eval(script, { keys, arguments: values }),
        ]
      : [
          (sha1, keys, values = []) => client.evalsha(sha1, keys.length, ...keys, ...values),
          (script, keys, values = []) => client.eval(script, keys.length, ...keys, ...values),
        ];
  return async (script, keys, values) => {
    try {
      return await byHash?.(hashes.get(script) as string, keys, values);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return byText?.(script, keys, values);
    }
  };
}

/** In Redis's protocol, the first word of an error is its code. */
function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT ');
}

function hashOf(script: string): string {
  return createHash('sha1').update(script).digest('hex');
}
